//! The slice of a source that leaked, against the rest of it.

use crate::figure::{Anchor, Figure, Ink};
use crate::trace::decide::Slice;
use crate::trace::words::thousands;

const LEFT: f32 = 110.0;
const RIGHT: f32 = 650.0;
const WIDTH: f32 = 800.0;

/// Found against missing canaries, in the slice and outside of it.
pub fn figure(source: &str, slice: &Slice) -> Figure {
    let title = format!("{source}: canaries found within the slice and outside of it");
    let rows = [
        ("the slice", slice.found, slice.live, Ink::Alarm),
        (
            "elsewhere",
            slice.outside_found,
            slice.outside_live,
            Ink::Doubt,
        ),
    ];
    let told = rows.map(|(words, found, live, _)| format!("{words}: {found} of {live}"));
    let mut figure = Figure::new(title, told.join("; "), WIDTH, 56.0);
    for (place, (words, found, live, ink)) in rows.into_iter().enumerate() {
        let y = 4.0 + 26.0 * place as f32;
        figure.label((LEFT - 10.0, y + 13.0), words, Ink::Dark, Anchor::End);
        figure.rect((LEFT, y), (RIGHT - LEFT, 17.0), Ink::Light);
        let share = found as f32 / live.max(1) as f32;
        figure.rect((LEFT, y), ((RIGHT - LEFT) * share.min(1.0), 17.0), ink);
        let words = format!("{} of {}", thousands(found as u64), thousands(live as u64));
        figure.label((RIGHT + 12.0, y + 13.0), words, Ink::Dark, Anchor::Start);
    }
    figure
}
