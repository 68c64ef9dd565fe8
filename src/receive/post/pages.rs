//! The pages of a letter as one piece of evidence: one picture is kept as it came, several are an archive
//! that holds each as it came, and that every computer opens.

use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use crate::canary::PictureFormat;

/// The largest picture, all pictures of a letter together, and how many there may be.
pub const PICTURE: usize = 20 << 20;
/// All pictures of a letter together.
pub const LETTER: usize = 40 << 20;
/// How many pictures a letter may have.
pub const MOST: usize = 8;

/// Why pictures are not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not one.
    #[error("写真がありません / There is no picture")]
    None,
    /// Too many.
    #[error("写真は 8 枚までです / At most 8 pictures")]
    TooMany,
    /// One is too large, or all together are.
    #[error("写真は 1 枚 20 MB、合計 40 MB まで / At most 20 MB a picture, and 40 MB together")]
    TooLarge,
    /// One is none.
    #[error(
        "写真は PNG、JPEG、WebP、PDF のどれかです / The picture must be PNG, JPEG, WebP or PDF"
    )]
    NoPicture,
}

/// One piece of evidence of these pictures; the same pictures make the same bytes.
///
/// # Errors
/// There are none, too many or too large ones, or one is no picture.
pub fn packed(mut pictures: Vec<Vec<u8>>) -> Result<Vec<u8>, Refused> {
    let all: usize = pictures.iter().map(Vec::len).sum();
    if pictures.is_empty() {
        return Err(Refused::None);
    }
    if pictures.len() > MOST {
        return Err(Refused::TooMany);
    }
    if all > LETTER || pictures.iter().any(|picture| picture.len() > PICTURE) {
        return Err(Refused::TooLarge);
    }
    if pictures
        .iter()
        .any(|picture| PictureFormat::of(picture).is_none())
    {
        return Err(Refused::NoPicture);
    }
    if pictures.len() == 1 {
        return pictures.pop().ok_or(Refused::None);
    }
    archive(&pictures).map_err(|_| Refused::TooLarge)
}

fn archive(pictures: &[Vec<u8>]) -> zip::result::ZipResult<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    // Pictures are compressed already, and no moment is to make the same pictures other bytes.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::DEFAULT)
        .unix_permissions(0o644);
    for (number, picture) in pictures.iter().enumerate() {
        let ending = match PictureFormat::of(picture) {
            Some(PictureFormat::Png) => "png",
            Some(PictureFormat::Jpeg) => "jpg",
            Some(PictureFormat::Webp) => "webp",
            Some(PictureFormat::Pdf) => "pdf",
            None => "bin",
        };
        archive.start_file(format!("page-{}.{ending}", number + 1), options)?;
        archive.write_all(picture)?;
    }
    Ok(archive.finish()?.into_inner())
}

/// The pictures in a piece of evidence.
pub fn unpacked(raw: Vec<u8>) -> Vec<Vec<u8>> {
    if !raw.starts_with(b"PK\x03\x04") {
        return vec![raw];
    }
    let Ok(mut archive) = ZipArchive::new(Cursor::new(&raw)) else {
        return vec![raw];
    };
    let mut pictures = Vec::new();
    for number in 0..archive.len().min(MOST) {
        let Ok(page) = archive.by_index(number) else {
            continue;
        };
        let mut picture = Vec::new();
        if page.take(PICTURE as u64).read_to_end(&mut picture).is_ok() {
            pictures.push(picture);
        }
    }
    pictures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked() {
        let png = b"\x89PNG\r\n\x1a\none".to_vec();
        let jpeg = b"\xff\xd8\xff\xe0two".to_vec();
        assert_eq!(packed(vec![png.clone()]), Ok(png.clone()));
        assert_eq!(unpacked(png.clone()), vec![png.clone()]);
        let both = vec![png.clone(), jpeg];
        let raw = packed(both.clone()).unwrap();
        assert_eq!(unpacked(raw.clone()), both);
        assert_eq!(packed(both), Ok(raw));
    }

    #[test]
    fn what_is_no_letter_is_refused() {
        let png = b"\x89PNG\r\n\x1a\n".to_vec();
        assert_eq!(packed(vec![]), Err(Refused::None));
        assert_eq!(packed(vec![b"GIF89a".to_vec()]), Err(Refused::NoPicture));
        assert_eq!(packed(vec![png.clone(); MOST + 1]), Err(Refused::TooMany));
        let large = [png.as_slice(), &vec![0; PICTURE]].concat();
        assert_eq!(packed(vec![large]), Err(Refused::TooLarge));
        let half = [png.as_slice(), &vec![0; PICTURE - 100]].concat();
        assert_eq!(packed(vec![half; 3]), Err(Refused::TooLarge));
    }
}
