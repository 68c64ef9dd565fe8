//! JPEG and PNG to shades of grey, within limits.

use std::io::Cursor;

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{Grey, exif};
use crate::canary::PictureFormat;

/// A picture of more pixels is not decoded: telephones make 12 to 50 million, and what they send from a
/// page is the smaller kind.
pub const MOST_PIXELS: usize = 40_000_000;
/// What the decoder of PNGs may take beside the pixels.
const PNG_BYTES: usize = 64 << 20;

/// Why a picture is kept as evidence, and not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// No decoder for it.
    #[error("WebP and PDF are kept, and not read: type what is on the envelope")]
    Format,
    /// More pixels than are decoded.
    #[error(
        "it has {0} million pixels, and at most 40 are read: type what is on the envelope, or photograph it smaller"
    )]
    TooLarge(usize),
    /// The decoder gave up.
    #[error("it is damaged, or no picture: {0}")]
    Damaged(String),
}

/// Decodes a picture, the right way up as far as it says so itself.
///
/// # Errors
/// It is too large, damaged, or of a format that is only kept.
pub fn decode(bytes: &[u8]) -> Result<Grey, Unreadable> {
    match PictureFormat::of(bytes) {
        Some(PictureFormat::Jpeg) => jpeg(bytes),
        Some(PictureFormat::Png) => png(bytes),
        Some(PictureFormat::Webp | PictureFormat::Pdf) => Err(Unreadable::Format),
        None => Err(Unreadable::Damaged("unknown first bytes".to_owned())),
    }
}

fn bounded(width: usize, height: usize) -> Result<(), Unreadable> {
    let pixels = width.saturating_mul(height);
    if pixels > MOST_PIXELS {
        return Err(Unreadable::TooLarge(pixels / 1_000_000));
    }
    if pixels == 0 {
        return Err(Unreadable::Damaged("it is empty".to_owned()));
    }
    Ok(())
}

/// Decoders' words, without anything of the picture in them.
fn damaged(error: impl std::fmt::Debug) -> Unreadable {
    Unreadable::Damaged(format!("{error:?}").chars().take(120).collect())
}

fn jpeg(bytes: &[u8]) -> Result<Grey, Unreadable> {
    let options = DecoderOptions::default()
        .set_max_width(1 << 16)
        .set_max_height(1 << 16)
        .jpeg_set_out_colorspace(ColorSpace::Luma);
    let mut decoder = JpegDecoder::new_with_options(Cursor::new(bytes), options);
    decoder.decode_headers().map_err(damaged)?;
    let (width, height) = decoder
        .dimensions()
        .ok_or_else(|| Unreadable::Damaged("no size".to_owned()))?;
    bounded(width, height)?;
    let pixels = decoder.decode().map_err(damaged)?;
    if pixels.len() != width * height {
        return Err(Unreadable::Damaged("colours of an unknown kind".to_owned()));
    }
    let picture = Grey {
        width,
        height,
        pixels,
    };
    let orientation = decoder.exif().and_then(|exif| exif::orientation(exif));
    Ok(exif::upright(picture, orientation.unwrap_or(1)))
}

fn png(bytes: &[u8]) -> Result<Grey, Unreadable> {
    let limits = png::Limits { bytes: PNG_BYTES };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let header = decoder.read_header_info().map_err(damaged)?;
    let (width, height) = (header.width as usize, header.height as usize);
    bounded(width, height)?;
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (colour, _) = reader.output_color_type();
    let samples = colour.samples();
    let mut pixels = Vec::with_capacity(width * height);
    if reader.info().interlaced {
        let size = reader
            .output_buffer_size()
            .filter(|&size| size <= MOST_PIXELS * 4);
        let size = size.ok_or(Unreadable::TooLarge(width * height / 1_000_000))?;
        let mut frame = vec![0; size];
        reader.next_frame(&mut frame).map_err(damaged)?;
        frame
            .chunks_exact(samples)
            .for_each(|p| pixels.push(grey(p)));
    } else {
        // Row by row: never all colours at once.
        while let Some(row) = reader.next_row().map_err(damaged)? {
            row.data()
                .chunks_exact(samples)
                .for_each(|p| pixels.push(grey(p)));
        }
    }
    if pixels.len() != width * height {
        return Err(Unreadable::Damaged("it ends too early".to_owned()));
    }
    Ok(Grey {
        width,
        height,
        pixels,
    })
}

/// The shade of a pixel of one to four samples, on white paper.
fn grey(samples: &[u8]) -> u8 {
    let light = |red: u8, green: u8, blue: u8| {
        let sum = u32::from(red) * 77 + u32::from(green) * 150 + u32::from(blue) * 29;
        (sum >> 8) as u8
    };
    let on_white = |shade: u8, alpha: u8| {
        let (shade, alpha) = (u32::from(shade), u32::from(alpha));
        ((shade * alpha + 255 * (255 - alpha)) / 255) as u8
    };
    match *samples {
        [shade] => shade,
        [shade, alpha] => on_white(shade, alpha),
        [red, green, blue] => light(red, green, blue),
        [red, green, blue, alpha] => on_white(light(red, green, blue), alpha),
        _ => 255,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pixel_is_seen_on_paper() {
        assert_eq!(grey(&[9]), 9);
        assert_eq!(grey(&[0, 0]), 255);
        assert_eq!(grey(&[255, 255, 255]), 255);
        assert_eq!(grey(&[0, 0, 0, 255]), 0);
        assert_eq!(grey(&[0, 0, 0, 0]), 255);
    }

    #[test]
    fn what_is_kept_only_is_said() {
        assert_eq!(decode(b"%PDF-1.7"), Err(Unreadable::Format));
        assert!(matches!(decode(b"GIF89a"), Err(Unreadable::Damaged(_))));
    }

    proptest! {
        #[test]
        fn garbage_after_a_right_beginning_is_refused_or_read(
            jpeg in any::<bool>(),
            rest in prop::collection::vec(any::<u8>(), 0..400),
        ) {
            let start: &[u8] = if jpeg { b"\xff\xd8\xff" } else { b"\x89PNG\r\n\x1a\n" };
            let _ = decode(&[start, &rest].concat());
        }

        #[test]
        fn a_picture_with_one_byte_changed_is_refused_or_read(at in 0..200usize, byte in any::<u8>()) {
            let picture = Grey { width: 40, height: 30, pixels: (0..1200).map(|n| (n * 7 % 256) as u8).collect() };
            let mut file = picture.png().unwrap();
            let at = at % file.len();
            file[at] = byte;
            let _ = decode(&file);
        }
    }
}
