//! Ports for servers that must know theirs before they start, or keep it while they are away.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below what the system gives to those who ask for any port: what the tests beside this one open cannot take
/// it in between.
const PORTS: std::ops::Range<u16> = 10_000..30_000;

/// A loopback address on which nobody listens, and which no other caller gets.
pub fn free() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let count = PORTS.end - PORTS.start;
    // Another run of the tests on this machine begins elsewhere.
    let first = rand::random_range(0..count);
    let _ = NEXT.compare_exchange(0, first, Ordering::SeqCst, Ordering::SeqCst);
    for _ in 0..count {
        let port = PORTS.start + NEXT.fetch_add(1, Ordering::SeqCst) % count;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no port of {PORTS:?} is free");
}
