//! What is stored in pieces, each of which is sealed and opened by itself: so no second copy of the whole is ever in
//! memory.

use std::io;

use serde::{Deserialize, Serialize};
use zerocopy::{FromBytes, Immutable, IntoBytes};
use zeroize::Zeroizing;

/// Bytes of a piece, about.
const PIECE: usize = 1 << 18;

/// Puts items together, several to a piece.
pub struct Packer<'a> {
    piece: Vec<u8>,
    put: &'a mut dyn FnMut(&[u8]) -> io::Result<()>,
}

impl<'a> Packer<'a> {
    /// `put` takes each piece.
    pub fn new(put: &'a mut dyn FnMut(&[u8]) -> io::Result<()>) -> Packer<'a> {
        Packer {
            piece: Vec::new(),
            put,
        }
    }

    /// Adds an item.
    ///
    /// # Errors
    /// Those of whoever takes the pieces.
    pub fn item(&mut self, item: &impl Serialize) -> io::Result<()> {
        let piece = std::mem::take(&mut self.piece);
        self.piece = postcard::to_extend(item, piece).map_err(io::Error::other)?;
        match self.piece.len() < PIECE {
            true => Ok(()),
            false => self.end(),
        }
    }

    /// Adds very many items of one length, as they lie in memory: whoever reads them is the program that wrote them.
    ///
    /// # Errors
    /// Those of whoever takes the pieces.
    pub fn all<T: IntoBytes + Immutable>(&mut self, all: &[T]) -> io::Result<()> {
        self.item(&all.len())?;
        self.end()?;
        let mut pieces = all.as_bytes().chunks(PIECE);
        pieces.try_for_each(|piece| (self.put)(piece))
    }

    /// Ends a piece, so that what follows begins another.
    ///
    /// # Errors
    /// Those of whoever takes the pieces.
    pub fn end(&mut self) -> io::Result<()> {
        if !self.piece.is_empty() {
            (self.put)(&self.piece)?;
            self.piece.clear();
        }
        Ok(())
    }
}

/// Gives the next piece; `None` behind the last.
pub type Next<'a> = dyn FnMut() -> io::Result<Option<Zeroizing<Vec<u8>>>> + 'a;

/// The items of pieces, in the order in which a [`Packer`] took them.
pub struct Items<'a> {
    piece: Zeroizing<Vec<u8>>,
    read: usize,
    next: &'a mut Next<'a>,
}

impl<'a> Items<'a> {
    /// Of the pieces that `next` gives.
    pub fn new(next: &'a mut Next<'a>) -> Items<'a> {
        Items {
            piece: Zeroizing::default(),
            read: 0,
            next,
        }
    }

    /// The next item.
    ///
    /// # Errors
    /// Those of whoever gives the pieces; `InvalidData` where it is no such item.
    pub fn item<T: for<'d> Deserialize<'d>>(&mut self) -> io::Result<T> {
        if self.read == self.piece.len() {
            self.piece = (self.next)()?.ok_or_else(broken)?;
            self.read = 0;
        }
        let rest = &self.piece[self.read..];
        let (item, rest) = postcard::take_from_bytes(rest).map_err(|_| broken())?;
        self.read = self.piece.len() - rest.len();
        Ok(item)
    }

    /// The next items of one length.
    ///
    /// # Errors
    /// Those of whoever gives the pieces; `InvalidData` where they are not such items, or not so many.
    pub fn all<T: FromBytes + IntoBytes>(&mut self) -> io::Result<Vec<T>> {
        let length: usize = self.item()?;
        if self.read != self.piece.len() {
            return Err(broken());
        }
        let mut all = T::new_vec_zeroed(length).map_err(|_| broken())?;
        let mut rest = all.as_mut_slice().as_mut_bytes();
        while !rest.is_empty() {
            let piece = (self.next)()?.filter(|piece| piece.len() <= rest.len());
            let piece = piece.ok_or_else(broken)?;
            let (own, others) = rest.split_at_mut(piece.len());
            own.copy_from_slice(&piece);
            rest = others;
        }
        Ok(all)
    }

    /// Says whether all pieces have been read.
    ///
    /// # Errors
    /// Those of whoever gives the pieces; `InvalidData` where there is more.
    pub fn end(self) -> io::Result<()> {
        match (self.next)()? {
            None if self.read == self.piece.len() => Ok(()),
            _ => Err(broken()),
        }
    }
}

/// Of what was read and is not what was stored.
pub fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is not what was stored")
}
