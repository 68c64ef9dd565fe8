//! Plots as a few shapes: one drawing, rendered as inline SVG and into the PDF.

mod svg;

pub use svg::svg;

/// A colour of the plots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Text and axes.
    Dark,
    /// Secondary text and grid.
    Pale,
    /// A quiet area.
    Light,
    /// An area that stands out behind others.
    Wash,
    /// What is well.
    Calm,
    /// What is not.
    Alarm,
    /// What is neither.
    Doubt,
}

impl Ink {
    /// Red, green, blue, each 0 to 255.
    pub const fn rgb(self) -> (u8, u8, u8) {
        match self {
            Ink::Dark => (0x1c, 0x24, 0x30),
            Ink::Pale => (0x66, 0x70, 0x85),
            Ink::Light => (0xd9, 0xde, 0xe7),
            Ink::Wash => (0xf6, 0xde, 0xdc),
            Ink::Calm => (0x1f, 0x6f, 0x54),
            Ink::Alarm => (0xb3, 0x26, 0x1e),
            Ink::Doubt => (0x8a, 0x61, 0x00),
        }
    }
}

/// Where a label's text stands against its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// It begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// One shape; coordinates from the upper left corner, in the figure's own units.
pub enum Shape {
    /// A filled rectangle.
    Rect {
        /// Left.
        x: f32,
        /// Top.
        y: f32,
        /// Width.
        width: f32,
        /// Height.
        height: f32,
        /// Fill.
        ink: Ink,
    },
    /// A line.
    Line {
        /// Start.
        from: (f32, f32),
        /// End.
        to: (f32, f32),
        /// Stroke.
        ink: Ink,
    },
    /// One line of text on its baseline.
    Label {
        /// Where it is anchored.
        x: f32,
        /// Its baseline.
        y: f32,
        /// The words.
        text: String,
        /// Fill.
        ink: Ink,
        /// How it stands at `x`.
        anchor: Anchor,
    },
}

/// A plot.
pub struct Figure {
    /// What it shows, for those who do not see it.
    pub title: String,
    /// The same in a sentence.
    pub description: String,
    /// Width of the drawing.
    pub width: f32,
    /// Height of the drawing.
    pub height: f32,
    /// The shapes, the lowest first.
    pub shapes: Vec<Shape>,
}

/// Size of a label's letters in the figure's units.
pub const LABEL: f32 = 12.0;

impl Figure {
    /// An empty drawing.
    pub fn new(title: String, description: String, width: f32, height: f32) -> Figure {
        Figure {
            title,
            description,
            width,
            height,
            shapes: Vec::new(),
        }
    }

    /// Adds a rectangle.
    pub fn rect(&mut self, (x, y): (f32, f32), (width, height): (f32, f32), ink: Ink) {
        self.shapes.push(Shape::Rect {
            x,
            y,
            width,
            height,
            ink,
        });
    }

    /// Adds a line.
    pub fn line(&mut self, from: (f32, f32), to: (f32, f32), ink: Ink) {
        self.shapes.push(Shape::Line { from, to, ink });
    }

    /// Adds a label.
    pub fn label(&mut self, (x, y): (f32, f32), text: impl Into<String>, ink: Ink, anchor: Anchor) {
        self.shapes.push(Shape::Label {
            x,
            y,
            text: text.into(),
            ink,
            anchor,
        });
    }
}
