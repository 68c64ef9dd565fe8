//! Which way up a telephone was held: one number among what a JPEG says about itself.

use super::Grey;

/// The tag of the orientation.
const ORIENTATION: u16 = 0x0112;
/// More entries than any camera writes.
const ENTRIES: u16 = 500;

/// The orientation, 1 to 8, of an Exif block that begins with its TIFF header; `None` where it does not say.
pub fn orientation(exif: &[u8]) -> Option<u16> {
    let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    let big = match exif.get(..4)? {
        b"MM\0*" => true,
        b"II*\0" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let bytes: [u8; 2] = exif.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if big {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        })
    };
    let long = |at: usize| {
        let bytes: [u8; 4] = exif.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if big {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    };
    let start = usize::try_from(long(4)?).ok()?;
    let entries = short(start)?.min(ENTRIES);
    for entry in 0..usize::from(entries) {
        let at = start.checked_add(2 + entry * 12)?;
        if short(at)? == ORIENTATION {
            return short(at.checked_add(8)?).filter(|value| (1..=8).contains(value));
        }
    }
    None
}

/// The picture as it was seen.
pub fn upright(picture: Grey, orientation: u16) -> Grey {
    match orientation {
        2 => picture.mirrored(),
        3 => picture.turned(2),
        4 => picture.turned(2).mirrored(),
        5 => picture.turned(1).mirrored(),
        6 => picture.turned(1),
        7 => picture.turned(3).mirrored(),
        8 => picture.turned(3),
        _ => picture,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn block(big: bool, value: u16) -> Vec<u8> {
        let s = |n: u16| {
            if big {
                n.to_be_bytes()
            } else {
                n.to_le_bytes()
            }
        };
        let l = |n: u32| {
            if big {
                n.to_be_bytes()
            } else {
                n.to_le_bytes()
            }
        };
        let mut exif = if big {
            b"MM\0*".to_vec()
        } else {
            b"II*\0".to_vec()
        };
        exif.extend(l(8));
        exif.extend(s(2));
        for (tag, value) in [(0x0100, 7), (ORIENTATION, value)] {
            exif.extend([s(tag), s(3)].concat());
            exif.extend(l(1));
            exif.extend([s(value), s(0)].concat());
        }
        exif
    }

    #[test]
    fn either_order_of_bytes_is_read() {
        assert_eq!(orientation(&block(true, 6)), Some(6));
        assert_eq!(orientation(&block(false, 8)), Some(8));
        let with_name = [b"Exif\0\0".as_slice(), &block(false, 3)].concat();
        assert_eq!(orientation(&with_name), Some(3));
        assert_eq!(orientation(&block(true, 9)), None);
        assert_eq!(orientation(b""), None);
    }

    #[test]
    fn each_orientation_has_its_inverse() {
        let picture = Grey {
            width: 3,
            height: 2,
            pixels: vec![1, 2, 3, 4, 5, 6],
        };
        for (there, back) in [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 8), (7, 7)] {
            assert_eq!(
                upright(upright(picture.clone(), there), back),
                picture,
                "{there}"
            );
        }
        // A telephone held upright: what is stored lies on its left side.
        assert_eq!(upright(picture, 6).pixels, [4, 1, 5, 2, 6, 3]);
    }

    proptest! {
        #[test]
        fn no_block_is_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..64), big in any::<bool>()) {
            let start: &[u8] = if big { b"MM\0*" } else { b"II*\0" };
            orientation(&[start, &bytes].concat());
        }
    }
}
