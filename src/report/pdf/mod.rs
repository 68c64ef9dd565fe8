//! A page as PDF: real text in an embedded font, so that it can be searched, copied and read on any
//! machine, in both languages.
//!
//! The layout is what these reports need and no more: headings, paragraphs, lists, tables that go on
//! over pages, plots. A typesetting engine would cost ten times the build time of the whole writer.
//! What is not there: hyphenation, justified text, tags for screen readers (the HTML has structure).

mod fonts;
mod lines;
mod sheet;

use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::{Content, Date, Finish, Name, Pdf, Ref, Str, TextStr};
use time::OffsetDateTime;

pub use fonts::FontFiles;

use super::page::Page;
use fonts::Fonts;
use sheet::{HEIGHT, Sheets, WIDTH};

/// Why there is no PDF.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No Japanese font.
    #[error(
        "no Japanese font is installed, which a PDF embeds: on Debian or Ubuntu run `apt-get install fonts-noto-cjk` \
         (or fonts-ipaexfont), name one with --font FILE, or write .html instead"
    )]
    NoFont,
    /// A font that cannot be read.
    #[error("the font {path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file that is no font.
    #[error("{0} is no TrueType or OpenType font: name one that holds Japanese, with --font FILE")]
    BadFont(PathBuf),
    /// The font cannot be cut down to what is used.
    #[error(
        "the font cannot be embedded: install fonts-noto-cjk, or name another with --font FILE"
    )]
    Subset,
}

/// The PDF's bytes. `made_at` is the date in its properties.
///
/// # Errors
/// The font does not do.
pub fn pdf(page: &Page, files: &FontFiles, made_at: OffsetDateTime) -> Result<Vec<u8>, Error> {
    let mut sheets = Sheets::new(Fonts::new(files)?);
    sheets.lay_out(page);
    let (mut fonts, contents, headings) = sheets.finish();

    let mut pdf = Pdf::new();
    let mut next = Ref::new(1);
    let [catalog, tree, info, outline] = [next.bump(), next.bump(), next.bump(), next.bump()];
    let count = contents.len();
    let pages: Vec<(Ref, Ref)> = contents
        .iter()
        .map(|_| (next.bump(), next.bump()))
        .collect();
    let mut streams = Vec::with_capacity(count);
    for (place, mut content) in contents.into_iter().enumerate() {
        sheet::foot(
            &mut content,
            &mut fonts,
            &page.footer,
            &format!("{} / {count}", place + 1),
        );
        streams.push(content);
    }
    let fonts = fonts.embed(&mut pdf, &mut next)?;
    for ((id, stream), content) in pages.iter().zip(streams) {
        write_page(&mut pdf, *id, tree, *stream, &fonts, content);
    }
    let mut kids = pdf.pages(tree);
    kids.kids(pages.iter().map(|(id, _)| *id))
        .count(count as i32);
    kids.finish();
    write_outline(&mut pdf, &mut next, outline, &headings, &pages);

    let mut about = pdf.document_info(info);
    about
        .title(TextStr(&page.title))
        .producer(TextStr(concat!("otori ", env!("CARGO_PKG_VERSION"))))
        .creation_date(date(made_at));
    about.finish();
    let mut root = pdf.catalog(catalog);
    root.pages(tree).lang(TextStr(page.lang.tag()));
    root.viewer_preferences().display_doc_title(true);
    if !headings.is_empty() {
        root.outlines(outline);
    }
    root.finish();
    Ok(pdf.finish())
}

/// How many sheets the page takes, for whoever has a limit to keep.
///
/// # Errors
/// The font does not do.
pub fn sheets(page: &Page, files: &FontFiles) -> Result<usize, Error> {
    let mut sheets = Sheets::new(Fonts::new(files)?);
    sheets.lay_out(page);
    Ok(sheets.finish().1.len())
}

fn write_page(
    pdf: &mut Pdf,
    id: Ref,
    tree: Ref,
    stream: Ref,
    fonts: &[(Name<'static>, Ref)],
    content: Content,
) {
    let mut page = pdf.page(id);
    page.parent(tree)
        .media_box(pdf_writer::Rect::new(0.0, 0.0, WIDTH, HEIGHT))
        .contents(stream);
    let mut resources = page.resources();
    let mut named = resources.fonts();
    for (name, font) in fonts {
        named.pair(*name, *font);
    }
    named.finish();
    resources.finish();
    page.finish();
    let bytes = compressed(content.finish().as_slice());
    let mut written = pdf.stream(stream, &bytes);
    written.filter(pdf_writer::Filter::FlateDecode);
    written.finish();
}

/// The headings, as a reader shows them beside the pages.
fn write_outline(
    pdf: &mut Pdf,
    next: &mut Ref,
    outline: Ref,
    headings: &[sheet::Heading],
    pages: &[(Ref, Ref)],
) {
    let ids: Vec<Ref> = headings.iter().map(|_| next.bump()).collect();
    let (Some(first), Some(last)) = (ids.first(), ids.last()) else {
        return;
    };
    let mut root = pdf.outline(outline);
    root.first(*first).last(*last).count(ids.len() as i32);
    root.finish();
    for (place, heading) in headings.iter().enumerate() {
        let mut item = pdf.outline_item(ids[place]);
        item.title(TextStr(&heading.words)).parent(outline);
        if place > 0 {
            item.prev(ids[place - 1]);
        }
        if let Some(after) = ids.get(place + 1) {
            item.next(*after);
        }
        if let Some((page, _)) = pages.get(heading.sheet) {
            item.dest().page(*page).xyz(0.0, heading.top, None);
        }
        item.finish();
    }
}

fn date(at: OffsetDateTime) -> Date {
    let at = at.to_offset(time::UtcOffset::UTC);
    Date::new(u16::try_from(at.year()).unwrap_or(1970))
        .month(u8::from(at.month()))
        .day(at.day())
        .hour(at.hour())
        .minute(at.minute())
        .second(at.second())
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

/// Deflated, as all streams of the file are.
fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing into memory fails for no reason but its end.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// A text operand.
fn operand(bytes: &[u8]) -> Str<'_> {
    Str(bytes)
}
