//! What all pages have in common.

use axum::response::Html;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The one style sheet, in every page: nothing is loaded.
pub(super) const STYLE: &str = include_str!("page.css");

/// A page with its heading.
pub(in crate::receive) fn page(title: &str, body: &Markup) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex, nofollow";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { (title) }
                    (body)
                }
            }
        }
    };
    Html(page.into_string())
}
