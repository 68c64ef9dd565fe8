//! The letters of a text one by one, in fewer steps than [`str::chars`] takes, for who asks a table of each.

/// Gives the code points of a text.
#[inline]
pub fn letters(text: &str) -> Letters<'_> {
    Letters(text.as_bytes())
}

/// The letters that are left of a text, by [`letters`].
#[derive(Clone, Copy, Debug)]
pub struct Letters<'a>(&'a [u8]);

impl Letters<'_> {
    /// Takes the next letter if it is such a one of ASCII.
    #[inline]
    pub fn next_if(&mut self, is_such: impl FnOnce(u8) -> bool) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        is_such(*first).then(|| {
            self.0 = rest;
            *first
        })
    }
}

impl Iterator for Letters<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        let sum = |bytes: &[u8], marks: u32| {
            let sum = |sum: u32, byte: &u8| (sum << 6) + u32::from(*byte);
            bytes.iter().fold(0, sum).wrapping_sub(marks)
        };
        // What is taken from the sum is what marks the bytes of a letter as such (RFC 3629, 3). Of a text no part of a
        // letter is left.
        let (letter, rest) = match *self.0 {
            [a @ 0xE0..=0xEF, b, c, ref rest @ ..] => (sum(&[a, b, c], 0xE_2080), rest),
            [a @ ..0x80, ref rest @ ..] => (u32::from(a), rest),
            [a @ ..0xE0, b, ref rest @ ..] => (sum(&[a, b], 0x3080), rest),
            [a, b, c, d, ref rest @ ..] => (sum(&[a, b, c, d], 0x3C8_2080), rest),
            _ => return None,
        };
        self.0 = rest;
        Some(letter)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn they_are_those_of_the_text(text in any::<String>()) {
            prop_assert!(letters(&text).eq(text.chars().map(u32::from)));
        }
    }

    #[test]
    fn the_first_and_the_last_letters_of_each_length() {
        let text = "\0\u{7f}\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}";
        assert!(letters(text).eq(text.chars().map(u32::from)));
        let mut left = letters("1é");
        assert_eq!(left.next_if(|byte| byte == b'2'), None);
        assert_eq!(left.next_if(|byte| byte == b'1'), Some(b'1'));
        assert_eq!(left.next_if(|byte| byte.is_ascii()), None);
        assert_eq!(left.next(), Some(u32::from('é')));
        assert_eq!(left.next_if(|_| true), None);
    }
}
