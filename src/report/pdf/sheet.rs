//! Filling sheets of A4 from top to bottom.

use pdf_writer::Content;
use pdf_writer::types::TextRenderingMode;

use super::fonts::{Fonts, Weight};
use super::lines::{Letter, Look, break_lines, letters};
use super::operand;
use crate::report::figure::{Anchor, Figure, Ink, LABEL, Shape};
use crate::report::page::{Block, Page, Table, Text};

/// A4 in points.
pub const WIDTH: f32 = 595.28;
/// A4 in points.
pub const HEIGHT: f32 = 841.89;
const LEFT: f32 = 54.0;
const TOP: f32 = 58.0;
const BOTTOM: f32 = 62.0;
const INNER: f32 = WIDTH - 2.0 * LEFT;

const BODY: f32 = 9.5;
const SMALL: f32 = 8.2;
/// From one line's foot to the next, as a part of the size.
const LEADING: f32 = 1.55;
/// Between two columns of a table.
const GAP: f32 = 8.0;

/// A heading, and where it stands.
pub struct Heading {
    /// Its words.
    pub words: String,
    /// Which sheet, from 0.
    pub sheet: usize,
    /// Its upper edge, from the sheet's foot.
    pub top: f32,
}

/// Sheets being filled.
pub struct Sheets<'a> {
    fonts: Fonts<'a>,
    done: Vec<Content>,
    /// How far down the sheet is filled; TOP when it is empty.
    y: f32,
    headings: Vec<Heading>,
}

impl<'a> Sheets<'a> {
    /// One empty sheet.
    pub fn new(fonts: Fonts<'a>) -> Sheets<'a> {
        Sheets {
            fonts,
            done: vec![Content::new()],
            y: TOP,
            headings: Vec::new(),
        }
    }

    /// The sheets, and the headings on them.
    pub fn finish(self) -> (Fonts<'a>, Vec<Content>, Vec<Heading>) {
        (self.fonts, self.done, self.headings)
    }

    /// Everything on the page.
    pub fn lay_out(&mut self, page: &Page) {
        self.text(&Text::strong(page.title.as_str()), 17.0, Ink::Dark, 0.0);
        self.text(&page.subtitle.as_str().into(), BODY, Ink::Pale, 0.0);
        self.y += 6.0;
        self.rule(Ink::Dark);
        self.y += 8.0;
        if let Some(banner) = &page.banner {
            self.banner(banner);
        }
        for (place, block) in page.blocks.iter().enumerate() {
            let followed = page.blocks.get(place + 1);
            self.block(block, followed);
        }
    }

    fn block(&mut self, block: &Block, followed: Option<&Block>) {
        match block {
            Block::Heading(words) => {
                self.y += 12.0;
                // A heading alone at the foot of a sheet belongs on the next.
                self.room(if matches!(followed, Some(Block::Figure(_))) {
                    190.0
                } else {
                    84.0
                });
                self.headings.push(Heading {
                    words: words.clone(),
                    sheet: self.done.len() - 1,
                    top: HEIGHT - self.y + 4.0,
                });
                self.text(&Text::strong(words.as_str()), 12.5, Ink::Dark, 0.0);
                self.y += 3.0;
            }
            Block::Sub(words) => {
                self.y += 6.0;
                self.room(64.0);
                self.text(&Text::strong(words.as_str()), 10.5, Ink::Dark, 0.0);
                self.y += 2.0;
            }
            Block::Para(words) => {
                self.text(words, BODY, Ink::Dark, 0.0);
                self.y += 5.0;
            }
            Block::Note(words) => {
                self.text(words, SMALL, Ink::Pale, 0.0);
                self.y += 5.0;
            }
            Block::List(items) => {
                for item in items {
                    self.hold(item, BODY, 13.0);
                    let bullet = self.y;
                    let sheet = self.done.len();
                    self.text(item, BODY, Ink::Dark, 13.0);
                    // The bullet stands by the first line, on whichever sheet that is.
                    debug_assert!(sheet <= self.done.len());
                    let content = &mut self.done[sheet - 1];
                    fill(content, Ink::Pale);
                    content
                        .rect(LEFT + 3.0, HEIGHT - bullet - BODY * 1.02, 3.0, 3.0)
                        .fill_nonzero();
                }
                self.y += 5.0;
            }
            Block::Facts(facts) => {
                let width = INNER * 0.28;
                for (name, value) in facts {
                    let cells = [
                        (
                            letters(&name.as_str().into(), false),
                            width - GAP,
                            Ink::Pale,
                        ),
                        (letters(value, false), INNER - width, Ink::Dark),
                    ];
                    let places = [LEFT, LEFT + width];
                    let lines = self.wrap(&cells, BODY);
                    self.row(&lines, &places, &cells, &[false; 2], BODY, None);
                }
                self.y += 5.0;
            }
            Block::Table(table) if table.rows.is_empty() => {
                self.text(&table.empty.as_str().into(), BODY, Ink::Pale, 0.0);
                self.y += 5.0;
            }
            Block::Table(table) => self.table(table),
            Block::Figure(figure) => self.figure(figure),
            Block::PageBreak => self.new_sheet(),
        }
    }

    /// Begins a new sheet if so much does not fit on this one.
    fn room(&mut self, height: f32) {
        if self.y + height > HEIGHT - BOTTOM && self.y > TOP {
            self.new_sheet();
        }
    }

    fn new_sheet(&mut self) {
        if self.y > TOP {
            self.done.push(Content::new());
            self.y = TOP;
        }
    }

    fn content(&mut self) -> &mut Content {
        let last = self.done.len() - 1;
        &mut self.done[last]
    }

    fn rule(&mut self, ink: Ink) {
        let y = HEIGHT - self.y;
        let content = self.content();
        fill(content, ink);
        content.rect(LEFT, y, INNER, 0.6).fill_nonzero();
    }

    /// The lines of a text; a short one is to stay whole, and a long one not to leave one line behind.
    fn hold(&mut self, text: &Text, size: f32, indent: f32) -> Vec<Vec<Letter>> {
        const WHOLE: usize = 4;
        let lines = break_lines(&letters(text, false), &self.fonts, size, INNER - indent);
        let together = if lines.len() <= WHOLE { lines.len() } else { 2 };
        self.room(size * LEADING * together as f32);
        lines
    }

    /// A text over the whole width, line by line.
    fn text(&mut self, text: &Text, size: f32, ink: Ink, indent: f32) {
        let lines = self.hold(text, size, indent);
        for line in lines {
            self.room(size * LEADING);
            self.y += size * LEADING;
            self.line(&line, LEFT + indent, self.y - size * 0.45, size, ink);
        }
    }

    fn banner(&mut self, words: &str) {
        let text = letters(&Text::strong(words), true);
        let lines = break_lines(&text, &self.fonts, BODY, INNER - 20.0);
        let height = BODY * LEADING * lines.len() as f32 + 10.0;
        let y = HEIGHT - self.y - height;
        let content = self.content();
        let (red, green, blue) = channels(Ink::Alarm);
        content
            .set_stroke_rgb(red, green, blue)
            .set_line_width(1.0)
            .rect(LEFT, y, INNER, height)
            .stroke();
        let mut foot = self.y + 5.0;
        for line in lines {
            foot += BODY * LEADING;
            self.line(&line, LEFT + 10.0, foot - BODY * 0.45, BODY, Ink::Alarm);
        }
        self.y += height + 10.0;
    }

    /// One line of letters, its baseline `y` below the sheet's top.
    fn line(&mut self, line: &[Letter], x: f32, y: f32, size: f32, ink: Ink) {
        let last = self.done.len() - 1;
        show(
            &mut self.done[last],
            &mut self.fonts,
            line,
            (x, HEIGHT - y),
            size,
            ink,
        );
    }

    fn table(&mut self, table: &Table) {
        let sum: f32 = table.columns.iter().map(|column| column.weight).sum();
        let gaps = GAP * (table.columns.len() as f32 - 1.0);
        let widths: Vec<f32> = table
            .columns
            .iter()
            .map(|column| (INNER - gaps) * column.weight / sum)
            .collect();
        let mut x = LEFT;
        let mut places = Vec::new();
        for width in &widths {
            places.push(x);
            x += width + GAP;
        }
        let right: Vec<bool> = table.columns.iter().map(|column| column.number).collect();
        let head: Vec<Cell> = table
            .columns
            .iter()
            .zip(&widths)
            .map(|(column, width)| {
                let title = Text::from(column.title.as_str());
                (letters(&title, true), *width, Ink::Pale)
            })
            .collect();
        let head_lines = self.wrap(&head, SMALL);
        // The head and at least two lines of the first row stay together.
        self.room(height_of(&head_lines, SMALL) + 2.0 * SMALL * LEADING + 12.0);
        let head = Head {
            cells: &head,
            lines: &head_lines,
        };
        self.head(&head, &places, &right);
        for row in &table.rows {
            let cells: Vec<Cell> = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| (letters(cell, false), *width, Ink::Dark))
                .collect();
            let lines = self.wrap(&cells, SMALL);
            self.row(&lines, &places, &cells, &right, SMALL, Some(&head));
            self.y += 3.0;
            self.rule(Ink::Light);
            self.y += 1.0;
        }
        self.y += 8.0;
    }

    fn head(&mut self, head: &Head<'_>, places: &[f32], right: &[bool]) {
        self.row(head.lines, places, head.cells, right, SMALL, None);
        self.y += 3.0;
        self.rule(Ink::Pale);
        self.y += 1.0;
    }

    fn wrap(&self, cells: &[Cell], size: f32) -> Vec<Vec<Vec<Letter>>> {
        cells
            .iter()
            .map(|(text, width, _)| break_lines(text, &self.fonts, size, *width))
            .collect()
    }

    /// One row: it stays whole if it can, and goes on over sheets, under the head again, if it
    /// cannot.
    fn row(
        &mut self,
        lines: &[Vec<Vec<Letter>>],
        places: &[f32],
        cells: &[Cell],
        right: &[bool],
        size: f32,
        head: Option<&Head<'_>>,
    ) {
        let leading = size * LEADING;
        let count = lines.iter().map(Vec::len).max().unwrap_or(0);
        let whole = leading * count as f32 + 4.0;
        if self.y + whole > HEIGHT - BOTTOM && whole < (HEIGHT - TOP - BOTTOM) * 0.5 {
            self.continue_below(head, places, right);
        }
        for number in 0..count {
            if self.y + leading > HEIGHT - BOTTOM {
                self.continue_below(head, places, right);
            }
            self.y += leading;
            for (column, cell) in lines.iter().enumerate() {
                let Some(line) = cell.get(number) else {
                    continue;
                };
                let (_, width, ink) = &cells[column];
                let mut x = places[column];
                if right[column] {
                    x += width - self.measure(line, size);
                }
                self.line(line, x, self.y - size * 0.45, size, *ink);
            }
        }
    }

    fn continue_below(&mut self, head: Option<&Head<'_>>, places: &[f32], right: &[bool]) {
        self.new_sheet();
        if let Some(head) = head {
            self.head(head, places, right);
        }
    }

    fn measure(&self, line: &[Letter], size: f32) -> f32 {
        let mut buffer = [0; 4];
        let width = |(character, look): &Letter| {
            self.fonts
                .width(look.weight, character.encode_utf8(&mut buffer))
        };
        line.iter().map(width).sum::<f32>() * size
    }

    fn figure(&mut self, figure: &Figure) {
        let scale = (INNER / figure.width).min((HEIGHT - TOP - BOTTOM) / figure.height);
        self.y += 4.0;
        self.room(figure.height * scale + 8.0);
        let place = |x: f32, y: f32, top: f32| (LEFT + x * scale, HEIGHT - top - y * scale);
        let top = self.y;
        let last = self.done.len() - 1;
        for shape in &figure.shapes {
            let content = &mut self.done[last];
            match shape {
                Shape::Rect {
                    x,
                    y,
                    width,
                    height,
                    ink,
                } => {
                    let (left, foot) = place(*x, *y + *height, top);
                    fill(content, *ink);
                    content
                        .rect(left, foot, width * scale, height * scale)
                        .fill_nonzero();
                }
                Shape::Line { from, to, ink } => {
                    let (red, green, blue) = channels(*ink);
                    let (from, to) = (place(from.0, from.1, top), place(to.0, to.1, top));
                    content
                        .set_stroke_rgb(red, green, blue)
                        .set_line_width(0.7)
                        .move_to(from.0, from.1)
                        .line_to(to.0, to.1)
                        .stroke();
                }
                Shape::Label {
                    x,
                    y,
                    text,
                    ink,
                    anchor,
                } => {
                    let line = letters(&text.as_str().into(), false);
                    let size = LABEL * scale;
                    let width = self.fonts.width(Weight::Regular, text) * size;
                    let (mut left, foot) = place(*x, *y, top);
                    left -= match anchor {
                        Anchor::Start => 0.0,
                        Anchor::Middle => width / 2.0,
                        Anchor::End => width,
                    };
                    show(content, &mut self.fonts, &line, (left, foot), size, *ink);
                }
            }
        }
        self.y += figure.height * scale + 10.0;
    }
}

/// A cell's letters, its width, its colour.
type Cell = (Vec<Letter>, f32, Ink);

struct Head<'h> {
    cells: &'h [Cell],
    lines: &'h [Vec<Vec<Letter>>],
}

fn height_of(lines: &[Vec<Vec<Letter>>], size: f32) -> f32 {
    let count = lines.iter().map(Vec::len).max().unwrap_or(0);
    count as f32 * size * LEADING
}

fn channels(ink: Ink) -> (f32, f32, f32) {
    let (red, green, blue) = ink.rgb();
    let part = |channel: u8| f32::from(channel) / 255.0;
    (part(red), part(green), part(blue))
}

fn fill(content: &mut Content, ink: Ink) {
    let (red, green, blue) = channels(ink);
    content.set_fill_rgb(red, green, blue);
}

/// Shows a line, one run for each look.
fn show(
    content: &mut Content,
    fonts: &mut Fonts<'_>,
    line: &[Letter],
    (mut x, y): (f32, f32),
    size: f32,
    ink: Ink,
) {
    for run in line.chunk_by(|one, other| one.1 == other.1) {
        let Look { weight, blank } = run[0].1;
        let text: String = run.iter().map(|(character, _)| *character).collect();
        let width = fonts.width(weight, &text) * size;
        let ink = if blank { Ink::Doubt } else { ink };
        let (font, thicken, name) = fonts.pick(weight);
        let encoded = font.encode(text.chars());
        fill(content, ink);
        content.begin_text();
        if thicken {
            let (red, green, blue) = channels(ink);
            content
                .set_stroke_rgb(red, green, blue)
                .set_line_width(size * 0.03)
                .set_text_rendering_mode(TextRenderingMode::FillStroke);
        } else {
            content.set_text_rendering_mode(TextRenderingMode::Fill);
        }
        content
            .set_font(name, size)
            .set_text_matrix([1.0, 0.0, 0.0, 1.0, x, y])
            .show(operand(&encoded))
            .end_text();
        x += width;
    }
}

/// The foot of a sheet: what it belongs to, and its number.
pub fn foot(content: &mut Content, fonts: &mut Fonts<'_>, words: &str, number: &str) {
    const SIZE: f32 = 7.5;
    let y = BOTTOM - 28.0;
    fill(content, Ink::Light);
    content.rect(LEFT, y + 12.0, INNER, 0.5).fill_nonzero();
    let room = INNER - 60.0;
    let words = letters(&words.into(), false);
    let lines = break_lines(&words, fonts, SIZE, room);
    if let Some(line) = lines.first() {
        show(content, fonts, line, (LEFT, y), SIZE, Ink::Pale);
    }
    let width = fonts.width(Weight::Regular, number) * SIZE;
    let number = letters(&number.into(), false);
    let x = WIDTH - LEFT - width;
    show(content, fonts, &number, (x, y), SIZE, Ink::Pale);
}
