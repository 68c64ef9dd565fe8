//! Calls over SIP, by sipp and by hand, through the program itself.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::KEISUKE;
use crate::harness::Otori;

struct Served(Child, SocketAddr);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program with `[receive.sip]` so filled.
fn serve(otori: &Otori, lines: &str) -> Served {
    let file = otori.dir().join("otori.toml");
    let mut text = std::fs::read_to_string(&file).unwrap();
    text += &format!("\n[receive.sip]\nlisten = \"127.0.0.1:0\"\n{lines}\n");
    std::fs::write(file, text).unwrap();
    let args = [
        "--json",
        "serve",
        "--smtp",
        "127.0.0.1:0",
        "--http",
        "127.0.0.1:0",
    ];
    let mut server = otori.command(&args);
    let mut server = server
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let stdout = server.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let bound: serde_json::Value = serde_json::from_str(&line).unwrap();
    let sip = bound["sip"].as_str().unwrap().parse().unwrap();
    Served(server, sip)
}

fn request(method: &str, number: &str, branch: &str, more: &str) -> String {
    format!(
        "{method} sip:{number}@pbx.example SIP/2.0\r\nVia: SIP/2.0/UDP c.example;rport;branch=z9hG4bK{branch}\r\n\
         Max-Forwards: 70\r\nFrom: \"A firm\" <sip:0301239999@c.example>;tag=f\r\nTo: <sip:{number}@pbx.example>\r\n\
         Call-ID: {branch}@c.example\r\nCSeq: 1 {method}\r\nUser-Agent: dialler with a rather long name\r\n\
         Contact: <sip:0301239999@c.example>\r\n{more}Content-Length: 0\r\n\r\n"
    )
}

fn client(to: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(to).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    socket
}

fn heard(socket: &UdpSocket) -> String {
    let mut buffer = [0; 4096];
    let length = socket.recv(&mut buffer).unwrap();
    String::from_utf8(buffer[..length].to_vec()).unwrap()
}

/// What answers `request`, which is sent again every half second as timer A does, for half a minute at most.
fn answered(socket: &UdpSocket, request: &str) -> String {
    socket
        .set_read_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    let mut buffer = [0; 4096];
    for _ in 0..60 {
        socket.send(request.as_bytes()).unwrap();
        if let Ok(length) = socket.recv(&mut buffer) {
            return String::from_utf8(buffer[..length].to_vec()).unwrap();
        }
    }
    panic!("no answer to a request that was sent sixty times");
}

const SCENARIO: &str = r#"<?xml version="1.0" encoding="UTF-8"?><scenario name="declined">
<send retrans="500"><![CDATA[
INVITE sip:0301234567@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:0301239999@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:0301234567@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:0301239999@[local_ip]:[local_port]>
Max-Forwards: 70
P-Asserted-Identity: <tel:+81-3-0123-8888>
Content-Length: 0

]]></send>
<recv response="100" optional="true"/><recv response="180"/><recv response="480"/>
<send><![CDATA[
ACK sip:0301234567@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:0301239999@[local_ip]:[local_port]>;tag=[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send></scenario>"#;

#[tokio::test]
async fn a_call_rings_is_stored_and_declined() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE]).await;
    let served = serve(&otori, "ring_seconds = 1\npeers = [\"127.0.0.1\"]");
    let scenario = otori.dir().join("declined.xml");
    std::fs::write(&scenario, SCENARIO).unwrap();
    for transport in ["u1", "t1"] {
        let sipp = Command::new("sipp")
            .args([&served.1.to_string(), "-sf"])
            .arg(&scenario)
            .args([
                "-t",
                transport,
                "-m",
                "3",
                "-i",
                "127.0.0.1",
                "-timeout",
                "60",
            ])
            .args(["-nostdin", "-timeout_error"])
            .current_dir(otori.dir())
            .output()
            .unwrap();
        assert!(
            sipp.status.success(),
            "{}",
            String::from_utf8_lossy(&sipp.stderr)
        );
    }
    otori.settled().await;
    let shown = otori.json(&["sightings"]);
    let shown = shown["sightings"].as_array().unwrap();
    assert_eq!(shown.len(), 6);
    for one in shown {
        assert_eq!(
            (&one["kind"], &one["channel"]),
            (&"alarm".into(), &"phone".into())
        );
        assert_eq!(one["from"], "+81-3-0123-8888");
    }
}

#[tokio::test]
async fn what_is_sent_again_counts_once_and_a_stranger_gets_no_more_than_he_sent() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE]).await;
    let served = serve(&otori, "ring_seconds = 300");
    let socket = client(served.1);
    let send = |text: &str| assert_eq!(socket.send(text.as_bytes()).unwrap(), text.len());
    for garbage in [
        "",
        "\r\n\r\n",
        "INVITE",
        "SIP/2.0 200 OK\r\n\r\n",
        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    ] {
        send(garbage);
    }
    let invite = request(
        "INVITE",
        "0301234567",
        "a",
        &format!("X-Pad: {}\r\n", "p".repeat(500)),
    );
    send(&invite);
    let first = heard(&socket);
    assert!(first.starts_with("SIP/2.0 180 "), "{first}");
    send(&invite);
    assert_eq!(heard(&socket), first);
    send(&request("CANCEL", "0301234567", "a", ""));
    let (one, two) = (heard(&socket), heard(&socket));
    assert!(
        one.starts_with("SIP/2.0 200 ") && one.contains("CSeq: 1 CANCEL"),
        "{one}"
    );
    assert!(
        two.starts_with("SIP/2.0 487 ") && two.contains("CSeq: 1 INVITE"),
        "{two}"
    );
    send(&invite);
    assert_eq!(heard(&socket), two);
    send(&request("ACK", "0301234567", "a", ""));
    for (method, branch, status) in [
        ("OPTIONS", "b", "200"),
        ("REGISTER", "c", "405"),
        ("CANCEL", "d", "481"),
        ("BYE", "e", "481"),
    ] {
        let asked = request(
            method,
            "x",
            branch,
            "X-Pad: 0123456789012345678901234567890123456789\r\n",
        );
        send(&asked);
        let answer = heard(&socket);
        assert!(
            answer.starts_with(&format!("SIP/2.0 {status} ")),
            "{answer}"
        );
        assert!(answer.len() <= asked.len());
        assert!(!answer.to_ascii_lowercase().contains("otori"), "{answer}");
    }
    // A number of somebody else's, over TCP in two pieces.
    let mut stream = TcpStream::connect(served.1).unwrap();
    let other = request("INVITE", "0301230000", "f", "");
    let (one, two) = other.split_at(100);
    stream.write_all(one.as_bytes()).unwrap();
    stream.write_all(two.as_bytes()).unwrap();
    let mut answers = String::new();
    while !answers.contains("SIP/2.0 404 ") {
        let mut buffer = [0; 1024];
        let length = stream.read(&mut buffer).unwrap();
        assert!(length > 0, "{answers}");
        answers += std::str::from_utf8(&buffer[..length]).unwrap();
    }
    otori.settled().await;
    let shown = otori.json(&["sightings"]);
    assert_eq!(shown["sightings"].as_array().unwrap().len(), 1, "{shown}");
    assert_eq!(shown["sightings"][0]["from"], "0301239999");
}

#[tokio::test]
async fn a_call_that_insists_on_an_extension_is_counted_and_told_so() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE]).await;
    let served = serve(&otori, "ring_seconds = 1\npeers = [\"127.0.0.1\"]");
    let socket = client(served.1);
    let send = |text: &str| assert_eq!(socket.send(text.as_bytes()).unwrap(), text.len());
    let options = request("OPTIONS", "0301234567", "o", "Require: path\r\n");
    send(&options);
    let answer = heard(&socket);
    assert!(
        answer.starts_with("SIP/2.0 420 Bad Extension\r\n"),
        "{answer}"
    );
    assert!(answer.contains("\r\nUnsupported: path\r\n"), "{answer}");
    let insists = "Require: 100rel\r\nRequire: precondition, x\r\n";
    send(&request("INVITE", "0301234567", "r", insists));
    let answers: Vec<String> = (0..2).map(|_| heard(&socket)).collect();
    assert!(answers[0].starts_with("SIP/2.0 100 "), "{answers:?}");
    assert!(
        answers[1].starts_with("SIP/2.0 420 Bad Extension\r\n"),
        "{answers:?}"
    );
    assert!(
        answers[1].contains("\r\nUnsupported: 100rel, precondition, x\r\n"),
        "{answers:?}"
    );
    send(&request("ACK", "0301234567", "r", ""));
    // As a telephone does: the same call again, in a transaction of its own, without the extension.
    let again = request("INVITE", "0301234567", "s", "").replace("s@c.example", "r@c.example");
    send(&again.replace("CSeq: 1 ", "CSeq: 2 "));
    let mut answer = heard(&socket);
    while answer.starts_with("SIP/2.0 4") && answer.contains("CSeq: 1 ")
        || answer.starts_with("SIP/2.0 100")
    {
        answer = heard(&socket);
    }
    assert!(answer.starts_with("SIP/2.0 180 "), "{answer}");
    otori.settled().await;
    let shown = otori.json(&["sightings"]);
    assert_eq!(shown["sightings"].as_array().unwrap().len(), 1, "{shown}");
}

/// A value of `/proc/PID/status` in kilobytes.
fn kilobytes(pid: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap()
        .trim_matches([':', '\t', ' ', 'k', 'B'])
        .parse()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_one_network_takes_no_memory_and_no_place_of_another() {
    const FLOOD: usize = 30_000;
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE]).await;
    let served = serve(&otori, "ring_seconds = 300");
    let pid = served.0.id();
    // A first call, behind which everything that a call takes is in memory.
    let other = UdpSocket::bind("127.77.1.1:0").unwrap();
    other.connect(served.1).unwrap();
    other
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let pad = format!("X-Pad: {}\r\n", "p".repeat(600));
    other
        .send(request("INVITE", "0301234567", "first", &pad).as_bytes())
        .unwrap();
    assert!(heard(&other).starts_with("SIP/2.0 180 "));
    let before = kilobytes(pid, "VmRSS");

    let socket = client(served.1);
    socket.set_nonblocking(true).unwrap();
    let (mut sent, mut heard_bytes) = (0, 0);
    let mut buffer = [0; 4096];
    for number in 0..FLOOD {
        let invite = request("INVITE", "0301234567", &format!("flood{number}"), "");
        if let Ok(length) = socket.send(invite.as_bytes()) {
            sent += length;
        }
        while let Ok(length) = socket.recv(&mut buffer) {
            heard_bytes += length;
        }
        if number == FLOOD / 2 {
            other
                .send(request("INVITE", "0301234567", "amid", &pad).as_bytes())
                .unwrap();
        }
    }
    // Datagrams may be lost in a flood, the next one too while the queue drains: whoever calls sends
    // again until it is answered (RFC 3261, section 17.1.1.2, timer A).
    let amid = request("INVITE", "0301234567", "amid", &pad);
    let answer = answered(&other, &amid);
    assert!(
        answer.starts_with("SIP/2.0 180 ") && answer.contains("amid@"),
        "{answer}"
    );
    std::thread::sleep(Duration::from_millis(500));
    while let Ok(length) = socket.recv(&mut buffer) {
        heard_bytes += length;
    }
    assert!(heard_bytes <= sent, "{heard_bytes} for {sent}");
    let grown = kilobytes(pid, "VmRSS").saturating_sub(before);
    assert!(grown < 40_000, "{grown} kB more");
    // At most a hundred messages of a network are looked at in a second, and a hundred calls are held.
    otori.settled().await;
    let shown = otori.json(&["sightings", "--limit", "5000"]);
    let calls = shown["sightings"].as_array().unwrap().len();
    assert!((3..=102).contains(&calls), "{calls}");
}
