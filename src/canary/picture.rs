//! What a picture is, by its first bytes. It is stored as it came, and never decoded here.

/// The formats that a camera, a scanner or a telephone gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureFormat {
    /// Portable Network Graphics.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP.
    Webp,
    /// Portable Document Format, from scanners.
    Pdf,
}

impl PictureFormat {
    /// The format of these bytes; `None` for what is no picture.
    pub fn of(bytes: &[u8]) -> Option<PictureFormat> {
        match bytes {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(PictureFormat::Png),
            [0xff, 0xd8, 0xff, ..] => Some(PictureFormat::Jpeg),
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                ..,
            ] => Some(PictureFormat::Webp),
            [b'%', b'P', b'D', b'F', b'-', ..] => Some(PictureFormat::Pdf),
            _ => None,
        }
    }

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            PictureFormat::Png => "image/png",
            PictureFormat::Jpeg => "image/jpeg",
            PictureFormat::Webp => "image/webp",
            PictureFormat::Pdf => "application/pdf",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_known_by_their_first_bytes() {
        for (bytes, format) in [
            (
                b"\x89PNG\r\n\x1a\n....".as_slice(),
                Some(PictureFormat::Png),
            ),
            (b"\xff\xd8\xff\xe0....", Some(PictureFormat::Jpeg)),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Some(PictureFormat::Webp)),
            (b"%PDF-1.7", Some(PictureFormat::Pdf)),
            (b"<svg onload=alert(1)>", None),
            (b"GIF89a", None),
            (b"\x89PNG", None),
            (b"", None),
        ] {
            assert_eq!(PictureFormat::of(bytes), format);
        }
    }
}
