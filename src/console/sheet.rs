//! What a page is put together from: blocks, which one template draws (`templates/console/console.html`). It escapes everything.

use askama::Template;

use crate::http::Form;

/// A link below the console, or a place in it.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) label: String,
    pub(super) href: String,
    /// Whether it is what most people look for, or where they are.
    pub(super) is_main: bool,
    /// Whether something ends there.
    pub(super) is_danger: bool,
}

/// A link that is not what most people look for.
#[inline(never)]
pub(super) fn link(label: &str, href: impl Into<String>) -> Link {
    Link { label: label.to_owned(), href: href.into(), is_main: false, is_danger: false }
}

/// A link that is.
#[inline(never)]
pub(super) fn main_link(label: &str, href: impl Into<String>) -> Link {
    Link { is_main: true, ..link(label, href) }
}

/// A link to a page that asks before something ends.
#[inline(never)]
pub(super) fn danger_link(label: &str, href: impl Into<String>) -> Link {
    Link { is_danger: true, ..link(label, href) }
}

/// What stands where nothing does.
pub(super) const NONE: &str = "–";

/// What stands in a table or a list of facts.
#[derive(Clone, Debug)]
pub(super) enum Cell {
    /// A text, and an address that is not below this console.
    Away(String, String),
    /// A text, and where it leads below the console.
    Link(String, String),
    /// A text.
    Text(String),
}

impl Cell {
    #[inline(never)]
    pub(super) fn text(text: &str) -> Self {
        Self::Text(if text.is_empty() { NONE.to_owned() } else { text.to_owned() })
    }
}

/// A part of a page.
#[derive(Clone, Debug)]
pub(super) enum Block {
    /// What is wrong.
    Alert(String),
    /// What was done.
    Done(String),
    /// What is known of one thing.
    Facts(Vec<(&'static str, Cell)>),
    /// A form.
    Form(Sheet),
    /// What is below it.
    Heading(&'static str),
    /// Ways to go.
    Links(Vec<Link>),
    /// Short lines.
    List(Vec<String>),
    /// A text to take away: to mark, to copy, to save as a file of this name.
    Output { id: &'static str, label: &'static str, text: String, save: &'static str },
    /// What is known of several.
    Table { label: &'static str, head: &'static [&'static str], rows: Vec<Vec<Cell>> },
    /// A paragraph.
    Text(String),
}

impl Block {
    #[inline(never)]
    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// A form.
#[derive(Clone, Debug)]
pub(super) struct Sheet {
    /// Where it goes, below the console.
    pub(super) action: String,
    pub(super) fields: Vec<Field>,
    /// What its buttons send as `action`, and what they say.
    pub(super) buttons: Vec<(&'static str, &'static str)>,
    /// Whether it ends something.
    pub(super) is_danger: bool,
    /// Whether it only asks.
    pub(super) is_search: bool,
    /// Where one goes without sending it; empty: nowhere.
    pub(super) back: String,
}

impl Sheet {
    /// A form with one button.
    #[inline(never)]
    pub(super) fn new(action: impl Into<String>, button: &'static str, fields: Vec<Field>) -> Self {
        let (action, buttons) = (action.into(), vec![("", button)]);
        Self { action, fields, buttons, is_danger: false, is_search: false, back: String::new() }
    }
}

/// A line of a form, or several.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) kind: &'static str,
    pub(super) value: String,
    pub(super) hint: &'static str,
    pub(super) is_needed: bool,
    /// The first and the last day that it may be, where it is a day.
    pub(super) within: Option<(String, String)>,
}

/// A box to tick.
#[derive(Clone, Debug)]
pub(super) struct Tick {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) words: String,
    pub(super) is_ticked: bool,
}

/// A part of a form.
#[derive(Clone, Debug)]
pub(super) enum Field {
    /// Several lines, and how many are shown.
    Area(Line, usize),
    /// One of several: what is sent, and what is read.
    Choice { name: String, label: String, options: Vec<(String, String)>, chosen: String },
    /// What the page itself knows.
    Hidden(&'static str, String),
    /// One line.
    Line(Line),
    /// Any of several.
    Ticks { legend: String, hint: &'static str, boxes: Vec<Tick> },
}

/// One line of text.
#[inline(never)]
pub(super) fn line(name: &'static str, label: &'static str, value: &str, hint: &'static str) -> Line {
    Line { name, label, kind: "text", value: value.to_owned(), hint, is_needed: false, within: None }
}

/// Boxes of one form: what their names begin with, each name, its words, and which are ticked.
#[inline(never)]
pub(super) fn ticks<'a>(
    prefix: &str,
    names: impl Iterator<Item = (&'a str, &'a str)>,
    ticked: &[&str],
) -> Vec<Tick> {
    let tick = |(name, words): (&str, &str)| Tick {
        name: format!("{prefix}{name}"),
        label: name.to_owned(),
        words: words.to_owned(),
        is_ticked: ticked.contains(&name),
    };
    names.map(tick).collect()
}

/// The boxes that are ticked, of those whose names begin so.
#[inline(never)]
pub(super) fn ticked<'f>(form: &'f Form, prefix: &str) -> Vec<&'f str> {
    form.names().filter_map(|name| name.strip_prefix(prefix)).collect()
}

/// A page of the console.
#[derive(Debug, Template)]
#[template(path = "console/console.html")]
pub(super) struct ConsolePage<'a> {
    pub(super) base: &'a str,
    pub(super) realm: &'a str,
    pub(super) title: &'a str,
    /// Who is signed in.
    pub(super) who: &'a str,
    pub(super) proof: &'a str,
    /// The ways through the console.
    pub(super) links: &'a [Link],
    pub(super) blocks: &'a [Block],
}
