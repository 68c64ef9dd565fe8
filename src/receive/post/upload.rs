//! A form with pictures, as a browser sends it.

use axum::extract::Multipart;
use axum::extract::multipart::MultipartError;
use axum::http::StatusCode;

use super::pages;
use crate::receive::understand::Letter;

/// The longest text in a field, in characters.
const TEXT: usize = 500;

/// What was sent.
#[derive(Default)]
pub(super) struct Upload {
    pub letter: Letter,
    pub pictures: Vec<Vec<u8>>,
    /// What is chosen among the candidates: an id, `none`, or nothing.
    pub choice: String,
}

/// Why not, in words, with what was read until then.
pub(super) type Refused = (StatusCode, Letter, String);

pub(super) async fn read(mut form: Multipart) -> Result<Upload, Refused> {
    let mut upload = Upload::default();
    let broken = |upload: &Upload, error: MultipartError| {
        let problem = match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => pages::Refused::TooLarge.to_string(),
            _ => error.body_text(),
        };
        (error.status(), upload.letter.clone(), problem)
    };
    loop {
        let field = match form.next_field().await {
            Ok(Some(field)) => field,
            Ok(None) => return Ok(upload),
            Err(error) => return Err(broken(&upload, error)),
        };
        let name = field.name().unwrap_or_default().to_owned();
        if name == "picture" {
            match field.bytes().await {
                // An input that was left empty.
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => upload.pictures.push(bytes.to_vec()),
                Err(error) => return Err(broken(&upload, error)),
            }
            continue;
        }
        let text: String = match field.text().await {
            Ok(text) => text.trim().chars().take(TEXT).collect(),
            Err(error) => return Err(broken(&upload, error)),
        };
        let letter = &mut upload.letter;
        match name.as_str() {
            "addressee" => letter.addressee = text,
            "postcode" => letter.postcode = text,
            "address" => letter.address = text,
            "sender" => letter.sender = text,
            "return_address" => letter.return_address = text,
            "postmark" => letter.postmark = text,
            "customer" => letter.customer = text,
            "note" => letter.note = text,
            "canary" => upload.choice = text,
            _ => {}
        }
    }
}
