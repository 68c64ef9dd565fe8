//! A name server of a test's own, for TXT records.

use std::collections::HashMap;
use std::net::SocketAddr;

use tokio::net::UdpSocket;

/// Answers TXT questions about these names, and says of every other that there is none.
pub async fn name_server(records: &[(&str, &str)]) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let records: HashMap<String, String> = records
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    tokio::spawn(async move {
        let mut packet = [0; 1500];
        while let Ok((length, client)) = socket.recv_from(&mut packet).await {
            let mut at = 12;
            let mut name = Vec::new();
            while packet[at] != 0 {
                let end = at + 1 + usize::from(packet[at]);
                name.push(String::from_utf8_lossy(&packet[at + 1..end]).to_lowercase());
                at = end;
            }
            let question = &packet[12..(at + 5).min(length)];
            let asks_text = question[question.len() - 3] == 16;
            let text = records.get(&name.join(".")).filter(|_| asks_text);
            let code = if text.is_some() { 0x80 } else { 0x83 };
            let mut answer = packet[..2].to_vec();
            answer.extend([0x81, code, 0, 1, 0, u8::from(text.is_some()), 0, 0, 0, 0]);
            answer.extend(question);
            if let Some(text) = text {
                let length = u8::try_from(text.len()).unwrap();
                answer.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, 0, length + 1, length]);
                answer.extend(text.as_bytes());
            }
            socket.send_to(&answer, client).await.unwrap();
        }
    });
    address
}
