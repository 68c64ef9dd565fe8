//! The fonts of a PDF: found on this machine, and embedded as subsets of what the document uses.
//!
//! Otori carries no font. A Japanese one weighs 19 MB, and each distribution packages it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Finish, Name, Pdf, Rect, Ref, Str};
use subsetter::GlyphRemapper;
use ttf_parser::{Face, RawFace, Tag};

use super::{Error, compressed};

/// Regular and bold of one family, where distributions put them. The family's name is asked of the
/// file, for a collection holds one for each country and they draw some characters differently.
const PLACES: [(&str, Option<&str>, &str); 6] = [
    (
        "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
        Some("/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc"),
        "Noto Sans CJK JP",
    ),
    (
        "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
        Some("/usr/share/fonts/noto-cjk/NotoSansCJK-Bold.ttc"),
        "Noto Sans CJK JP",
    ),
    (
        "/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
        Some("/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Bold.ttc"),
        "Noto Sans CJK JP",
    ),
    (
        "/usr/share/fonts/opentype/ipaexfont-gothic/ipaexg.ttf",
        None,
        "IPAexGothic",
    ),
    (
        "/usr/share/fonts/ipa-ex-gothic/ipaexg.ttf",
        None,
        "IPAexGothic",
    ),
    (
        "/usr/share/fonts/truetype/fonts-japanese-gothic.ttf",
        None,
        "",
    ),
];

/// A font's bytes, and which face of the file is meant.
pub struct FontFile {
    bytes: Vec<u8>,
    index: u32,
}

/// The fonts that a PDF is set in.
pub struct FontFiles {
    regular: FontFile,
    /// None: the regular one is made bolder.
    bold: Option<FontFile>,
}

impl FontFiles {
    /// The first Japanese font that this machine has.
    ///
    /// # Errors
    /// [`Error::NoFont`] if there is none.
    pub fn find() -> Result<FontFiles, Error> {
        for (regular, bold, family) in PLACES {
            if !Path::new(regular).exists() {
                continue;
            }
            let bold = bold.filter(|bold| Path::new(bold).exists());
            return Ok(FontFiles {
                regular: read(Path::new(regular), family)?,
                bold: bold.map(|bold| read(Path::new(bold), family)).transpose()?,
            });
        }
        Err(Error::NoFont)
    }

    /// A font that the operator names.
    ///
    /// # Errors
    /// It cannot be read, or is no font with outlines that a PDF can hold.
    pub fn named(path: &Path) -> Result<FontFiles, Error> {
        Ok(FontFiles {
            regular: read(path, "Noto Sans CJK JP")?,
            bold: None,
        })
    }
}

/// Reads a font; of a collection the face of that family, else its first.
fn read(path: &Path, family: &str) -> Result<FontFile, Error> {
    let unreadable = |source| Error::File {
        path: path.to_owned(),
        source,
    };
    let bytes = std::fs::read(path).map_err(unreadable)?;
    let faces = ttf_parser::fonts_in_collection(&bytes).unwrap_or(1);
    let named = |index: &u32| {
        Face::parse(&bytes, *index).is_ok_and(|face| {
            let mut names = face.names().into_iter();
            names.any(|name| name.to_string().is_some_and(|name| name == family))
        })
    };
    let index = (0..faces).find(named).unwrap_or(0);
    Face::parse(&bytes, index).map_err(|_| Error::BadFont(path.to_owned()))?;
    Ok(FontFile { bytes, index })
}

/// How letters are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Text.
    Regular,
    /// Headings, and what stands out.
    Bold,
}

/// A font at work: it measures letters, and remembers which it was asked to show.
pub struct Font<'a> {
    file: &'a FontFile,
    face: Face<'a>,
    used: GlyphRemapper,
    shown: BTreeMap<u16, (char, f32)>,
}

impl<'a> Font<'a> {
    fn new(file: &'a FontFile) -> Result<Font<'a>, Error> {
        let broken = |_| Error::BadFont(PathBuf::new());
        Ok(Font {
            file,
            face: Face::parse(&file.bytes, file.index).map_err(broken)?,
            used: GlyphRemapper::new(),
            shown: BTreeMap::new(),
        })
    }

    /// The character's glyph, or that of one that says 'not in this font'.
    fn glyph(&self, character: char) -> (ttf_parser::GlyphId, char) {
        let substitutes = [character, '〓', '?'];
        let mut found = substitutes.into_iter();
        found
            .find_map(|c| Some((self.face.glyph_index(c)?, c)))
            .unwrap_or((ttf_parser::GlyphId(0), character))
    }

    fn units(&self, value: f32) -> f32 {
        value / f32::from(self.face.units_per_em())
    }

    /// How wide the character is at size 1.
    pub fn advance(&self, character: char) -> f32 {
        let (glyph, _) = self.glyph(character);
        let width = self.face.glyph_hor_advance(glyph).unwrap_or(1000);
        self.units(f32::from(width))
    }

    /// The characters as the PDF's text operators take them.
    pub fn encode(&mut self, text: impl Iterator<Item = char>) -> Vec<u8> {
        let mut encoded = Vec::new();
        for character in text {
            let (glyph, as_shown) = self.glyph(character);
            let width = self.advance(character) * 1000.0;
            let new = self.used.remap(glyph.0);
            self.shown.insert(new, (as_shown, width));
            encoded.extend(new.to_be_bytes());
        }
        encoded
    }
}

/// Regular and bold.
pub struct Fonts<'a> {
    regular: Font<'a>,
    bold: Option<Font<'a>>,
}

impl<'a> Fonts<'a> {
    /// The fonts, none of their letters shown yet.
    pub fn new(files: &'a FontFiles) -> Result<Fonts<'a>, Error> {
        Ok(Fonts {
            regular: Font::new(&files.regular)?,
            bold: files.bold.as_ref().map(Font::new).transpose()?,
        })
    }

    /// The font of that weight; whether it has to be made bolder; its name in the PDF.
    pub fn pick(&mut self, weight: Weight) -> (&mut Font<'a>, bool, Name<'static>) {
        match (weight, &mut self.bold) {
            (Weight::Bold, Some(bold)) => (bold, false, Name(b"B")),
            (Weight::Bold, None) => (&mut self.regular, true, Name(b"R")),
            (Weight::Regular, _) => (&mut self.regular, false, Name(b"R")),
        }
    }

    /// How wide a text is at size 1.
    pub fn width(&self, weight: Weight, text: &str) -> f32 {
        let font = match (weight, &self.bold) {
            (Weight::Bold, Some(bold)) => bold,
            _ => &self.regular,
        };
        text.chars().map(|character| font.advance(character)).sum()
    }

    /// Writes the subsets; the names under which pages refer to them.
    pub fn embed(self, pdf: &mut Pdf, next: &mut Ref) -> Result<Vec<(Name<'static>, Ref)>, Error> {
        let mut embedded = vec![(Name(b"R"), embed(self.regular, pdf, next, 'R')?)];
        if let Some(bold) = self.bold
            && !bold.shown.is_empty()
        {
            embedded.push((Name(b"B"), embed(bold, pdf, next, 'B')?));
        }
        Ok(embedded)
    }
}

/// One subset: the outlines of the letters shown, their widths, and which characters they are, so
/// that the text can be searched and copied.
fn embed(font: Font<'_>, pdf: &mut Pdf, next: &mut Ref, mark: char) -> Result<Ref, Error> {
    const SYSTEM: SystemInfo<'static> = SystemInfo {
        registry: Str(b"Adobe"),
        ordering: Str(b"Identity"),
        supplement: 0,
    };
    let broken = || Error::Subset;
    let subset = subsetter::subset(&font.file.bytes, font.file.index, &font.used);
    let subset = subset.map_err(|_| broken())?;
    let cff = RawFace::parse(&subset, 0).map_err(|_| broken())?;
    let cff = cff.table(Tag::from_bytes(b"CFF "));
    let ids = [
        next.bump(),
        next.bump(),
        next.bump(),
        next.bump(),
        next.bump(),
    ];
    let [whole, descendant, descriptor, file, unicode] = ids;

    let name = font.face.names().into_iter();
    let name = name
        .filter(|name| name.name_id == ttf_parser::name_id::POST_SCRIPT_NAME)
        .find_map(|name| name.to_string())
        .unwrap_or_else(|| "Japanese".to_owned());
    // Six letters mark a subset; two subsets of one document need different ones.
    let name = format!("OTORI{mark}+{name}");
    let name = Name(name.as_bytes());

    let mut dict = pdf.type0_font(whole);
    dict.base_font(name)
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(descendant)
        .to_unicode(unicode);
    dict.finish();

    let mut cid = pdf.cid_font(descendant);
    cid.subtype(match cff {
        Some(_) => CidFontType::Type0,
        None => CidFontType::Type2,
    });
    cid.base_font(name)
        .system_info(SYSTEM)
        .font_descriptor(descriptor)
        .default_width(1000.0);
    if cff.is_none() {
        cid.cid_to_gid_map_predefined(Name(b"Identity"));
    }
    let mut widths = cid.widths();
    for (glyph, (_, width)) in &font.shown {
        widths.same(*glyph, *glyph, *width);
    }
    widths.finish();
    cid.finish();

    let scale = |value: i16| font.units(f32::from(value)) * 1000.0;
    let bounds = font.face.global_bounding_box();
    let mut about = pdf.font_descriptor(descriptor);
    about
        .name(name)
        .flags(FontFlags::SYMBOLIC)
        .bbox(Rect::new(
            scale(bounds.x_min),
            scale(bounds.y_min),
            scale(bounds.x_max),
            scale(bounds.y_max),
        ))
        .italic_angle(0.0)
        .ascent(scale(font.face.ascender()))
        .descent(scale(font.face.descender()))
        .cap_height(scale(font.face.capital_height().unwrap_or(700)))
        .stem_v(if mark == 'B' { 140.0 } else { 80.0 });
    match cff {
        Some(_) => about.font_file3(file),
        None => about.font_file2(file),
    };
    about.finish();

    let data = compressed(cff.unwrap_or(&subset));
    let mut stream = pdf.stream(file, &data);
    stream.filter(pdf_writer::Filter::FlateDecode);
    if cff.is_some() {
        stream.pair(Name(b"Subtype"), Name(b"CIDFontType0C"));
    }
    stream.finish();

    let mut map = UnicodeCmap::new(Name(b"Otori"), SYSTEM);
    for (glyph, (character, _)) in &font.shown {
        map.pair(*glyph, *character);
    }
    let map = compressed(map.finish().as_slice());
    let mut stream = pdf.cmap(unicode, &map);
    stream.filter(pdf_writer::Filter::FlateDecode);
    stream.finish();
    Ok(whole)
}
