//! A drawing as inline SVG.

use maud::{Markup, html};

use super::{Anchor, Figure, Ink, LABEL, Shape};

/// The drawing for a page; its words are escaped.
pub fn svg(figure: &Figure) -> Markup {
    let number = |value: f32| format!("{value:.1}");
    let colour = |ink: Ink| {
        let (red, green, blue) = ink.rgb();
        format!("#{red:02x}{green:02x}{blue:02x}")
    };
    html! {
        svg viewBox=(format!("0 0 {:.0} {:.0}", figure.width, figure.height)) role="img"
            xmlns="http://www.w3.org/2000/svg" font-size=(LABEL) {
            title { (figure.title) }
            desc { (figure.description) }
            @for shape in &figure.shapes {
                @match shape {
                    Shape::Rect { x, y, width, height, ink } =>
                        rect x=(number(*x)) y=(number(*y)) width=(number(*width)) height=(number(*height)) fill=(colour(*ink)) {},
                    Shape::Line { from, to, ink } =>
                        line x1=(number(from.0)) y1=(number(from.1)) x2=(number(to.0)) y2=(number(to.1)) stroke=(colour(*ink)) {},
                    Shape::Label { x, y, text, ink, anchor } =>
                        text x=(number(*x)) y=(number(*y)) fill=(colour(*ink)) text-anchor=(match anchor {
                            Anchor::Start => "start",
                            Anchor::Middle => "middle",
                            Anchor::End => "end",
                        }) { (text) },
                }
            }
        }
    }
}
