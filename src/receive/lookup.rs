//! Which recipients there are, for a Postfix in front: its socketmap protocol (socketmap_table(5)).
//!
//! Postfix must refuse an unknown recipient itself: what it has accepted and cannot deliver it would send back,
//! and whoever cleans a list would learn from that. It asks here at each RCPT, so that no list of canaries lies on its
//! host, one planted a moment ago is known, and while nobody can say it answers 4xx. A question is no recipient check: who
//! asks Postfix is not known here.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::smtp::{Recipients, Standing};
use crate::canary::MailAddress;
use crate::metrics::metrics;

/// The table's name in Postfix's configuration.
const TABLE: &str = "recipients";
/// Bytes of a question at most: no address is longer.
const QUESTION: usize = 1024;
/// Connections at a time; Postfix keeps one for each of its processes.
const CONNECTIONS: usize = 500;
/// One that asks nothing for so long is closed, and opened again by Postfix when it has a question.
const SILENT: Duration = Duration::from_secs(600);

/// Answers until `stop`.
pub(super) async fn run(listener: TcpListener, recipients: Recipients, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection for the table of recipients could not be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            metrics().turned_away("socketmap");
            continue;
        };
        let (recipients, stop) = (recipients.clone(), stop.clone());
        tokio::spawn(async move {
            let _open = metrics().connection("socketmap");
            let talk = serve(stream, &recipients);
            if let Some(Err(error)) = stop.run_until_cancelled(talk).await {
                tracing::debug!(%error, "a connection for the table of recipients broke");
            }
            drop(place);
        });
    }
}

async fn serve(mut stream: TcpStream, recipients: &Recipients) -> std::io::Result<()> {
    let _ = stream.set_nodelay(true);
    let (from, mut to) = stream.split();
    let mut from = BufReader::new(from);
    loop {
        let asked = tokio::time::timeout(SILENT, question(&mut from)).await;
        let Ok(Some(question)) = asked.unwrap_or(Ok(None)) else {
            // Silent, gone, or no netstring: there is nothing to answer.
            return Ok(());
        };
        let answer = answer(&question, recipients).await;
        let answer = format!("{}:{answer},", answer.len());
        to.write_all(answer.as_bytes()).await?;
    }
}

/// A netstring: a length, a colon, so many bytes and a comma. `None` for the end, and for what is none.
async fn question(from: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<Option<Vec<u8>>> {
    let mut length = Vec::new();
    from.take(6).read_until(b':', &mut length).await?;
    let digits = length.strip_suffix(b":").unwrap_or_default();
    let length = std::str::from_utf8(digits)
        .ok()
        .and_then(|text| text.parse().ok());
    let Some(length) = length.filter(|length: &usize| *length <= QUESTION) else {
        return Ok(None);
    };
    let mut text = vec![0; length + 1];
    from.read_exact(&mut text).await?;
    Ok((text.pop() == Some(b',')).then_some(text))
}

async fn answer(question: &[u8], recipients: &Recipients) -> &'static str {
    let question = String::from_utf8_lossy(question);
    let Some((TABLE, key)) = question.split_once(' ') else {
        return "PERM there is one table: recipients";
    };
    // Postfix asks for parts of an address, too; what is none is nobody's.
    let Ok(address) = key.parse::<MailAddress>() else {
        return "NOTFOUND ";
    };
    match recipients.standing(&address).await {
        Standing::Ours => "OK yes",
        Standing::NoMailbox | Standing::Foreign => "NOTFOUND ",
        Standing::Unknown => "TEMP the registry cannot be read",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_question_is_a_netstring_and_nothing_else() {
        for (bytes, text) in [
            (&b"12:recipients a,5:x"[..], Some("recipients a")),
            (b"0:,", Some("")),
            (b"", None),
            (b"1:ab", None),
            (b"-1:a,", None),
            (b"99999:a,", None),
            (b"1000000000000:a,", None),
            (b"GET / HTTP/1.1\r\n", None),
        ] {
            let found = question(&mut BufReader::new(bytes)).await.unwrap();
            assert_eq!(found.as_deref(), text.map(str::as_bytes));
        }
        assert!(question(&mut BufReader::new(&b"5:ab"[..])).await.is_err());
    }
}
