//! A page as one HTML file that needs nothing else: to be read, printed, or handed on.

use maud::{DOCTYPE, Markup, PreEscaped, html as markup};

use super::page::{Block, Page, Piece, Table, Text, printed_blank};
use crate::figure::svg;

const STYLE: &str = "
:root { color-scheme: light; --ink: #1c2430; --pale: #667085; --line: #d9dee7; --mark: #b3261e; --doubt: #8a6100; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 2.5rem 1.5rem; color: var(--ink); background: #fff;
  font: 16px/1.6 system-ui, 'Noto Sans', 'Noto Sans CJK JP', 'Hiragino Sans', 'Yu Gothic', sans-serif; }
:lang(ja) { line-break: strict; font-feature-settings: 'palt' 0; }
header { border-bottom: 2px solid var(--ink); margin-bottom: 1.5rem; padding-bottom: .8rem; }
h1 { font-size: 1.6rem; line-height: 1.3; margin: 0 0 .3rem; } header p { margin: 0; color: var(--pale); }
h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem; } h3 { font-size: 1rem; margin: 1.5rem 0 .4rem; }
.banner { border: 1.5px solid var(--mark); color: var(--mark); padding: .6rem 1rem; margin: 0 0 1.5rem; font-weight: 600; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .92rem; }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
th { font-weight: 600; color: var(--pale); font-size: .85rem; overflow-wrap: normal; } .n { text-align: right; overflow-wrap: normal; white-space: nowrap; }
dl { display: grid; grid-template-columns: minmax(9rem, 28%) 1fr; gap: .3rem 1rem; margin: .6rem 0; }
dt { color: var(--pale); } dd { margin: 0; overflow-wrap: anywhere; white-space: pre-line; }
.note { color: var(--pale); font-size: .9rem; } .note, .para { white-space: pre-line; overflow-wrap: anywhere; }
mark { background: #fff3cd; color: var(--doubt); padding: 0 .2em; border-bottom: 1px dashed var(--doubt); }
svg { max-width: 100%; height: auto; display: block; margin: 1rem 0; }
@media print { @page { margin: 18mm 16mm; } body { padding: 0; font-size: 10.5pt; max-width: none; } h2, h3 { break-after: avoid; }
  tr, svg, dt, dd { break-inside: avoid; } .break { break-before: page; } mark { background: none; } }
";

/// The whole file. Everything in it is escaped; it loads nothing and runs nothing.
pub fn html(page: &Page) -> String {
    let whole = markup! {
        (DOCTYPE)
        html lang=(page.lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { (page.title) }
                style { (PreEscaped(STYLE)) (PreEscaped(foot(&page.footer))) }
            }
            body {
                header { h1 { (page.title) } p { (page.subtitle) } }
                @if let Some(banner) = &page.banner { p class="banner" { (banner) } }
                @for block in &page.blocks { (self::block(block)) }
                p class="note" { (page.footer) }
            }
        }
    };
    whole.into_string()
}

/// The foot of every printed page; browsers that do not know margin boxes leave it out.
fn foot(words: &str) -> String {
    let words = css_string(words);
    format!(
        "@media print {{ @page {{ @bottom-left {{ content: {words}; font: 7.5pt sans-serif; color: #667085; white-space: nowrap; }}
  @bottom-right {{ content: counter(page) ' / ' counter(pages); font: 7.5pt sans-serif; color: #667085; }} }} }}\n"
    )
}

/// A text as CSS writes it, with nothing in it that could end the string or the style sheet.
fn css_string(text: &str) -> String {
    let mut written = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' | '<' | '>' | '&' | '\0'..='\u{1f}' => {
                written.push_str(&format!("\\{:x} ", u32::from(letter)));
            }
            letter => written.push(letter),
        }
    }
    written + "\""
}

fn block(block: &Block) -> Markup {
    match block {
        Block::Heading(words) => markup! { h2 { (words) } },
        Block::Sub(words) => markup! { h3 { (words) } },
        Block::Para(words) => markup! { p class="para" { (text(words)) } },
        Block::Note(words) => markup! { p class="note" { (text(words)) } },
        Block::List(items) => markup! { ul { @for item in items { li { (text(item)) } } } },
        Block::Facts(facts) => markup! {
            dl { @for (name, value) in facts { dt { (name) } dd { (text(value)) } } }
        },
        Block::Table(table) => self::table(table),
        Block::Figure(figure) => svg(figure),
        Block::PageBreak => markup! { div class="break" {} },
    }
}

fn text(text: &Text) -> Markup {
    markup! {
        @for piece in &text.0 {
            @match piece {
                Piece::Plain(words) => (words),
                Piece::Strong(words) => strong { (words) },
                Piece::Blank(what) => mark { (printed_blank(what)) },
            }
        }
    }
}

fn table(table: &Table) -> Markup {
    if table.rows.is_empty() {
        return markup! { p class="note" { (table.empty) } };
    }
    let class = |number: bool| number.then_some("n");
    // The same parts of the width as on paper: left to itself, a browser breaks words of short columns.
    let sum: f32 = table.columns.iter().map(|column| column.weight).sum();
    let width = |weight: f32| format!("width: {:.1}%", 100.0 * weight / sum);
    markup! {
        div class="wide" { table {
            colgroup { @for column in &table.columns { col style=(width(column.weight)); } }
            thead { tr { @for column in &table.columns { th scope="col" class=[class(column.number)] { (column.title) } } } }
            tbody { @for row in &table.rows { tr {
                @for (cell, column) in row.iter().zip(&table.columns) { td class=[class(column.number)] { (text(cell)) } }
            } } }
        } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_footer_cannot_leave_its_style() {
        assert_eq!(css_string("囮 · 1"), "\"囮 · 1\"");
        assert_eq!(
            css_string("\"}</style>\n\\"),
            "\"\\22 }\\3c /style\\3e \\a \\5c \""
        );
        assert!(!foot("</style><script>").contains('<'));
    }
}
