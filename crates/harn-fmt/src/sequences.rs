//! Items between brackets, separated by commas (spec 01 section 9.5).

use crate::Formatter;
use crate::layout::Layout;

/// An item of a sequence.
pub struct Item {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// How it is printed.
    pub layout: Layout,
    /// A closure, dict or list, which may share the line of the bracket when it is the last.
    pub hugs: bool,
}

impl Formatter<'_> {
    /// `open item, item close` on one line, or one item a line; `start..end` is what lies between the brackets.
    pub fn sequence(&self, open: &str, close: &str, start: u32, end: u32, items: Vec<Item>) -> Layout {
        let (open, close) = (Layout::text(open), Layout::text(close));
        if self.has_comments(start, end, &items) {
            return self.commented(open, close, start, end, items);
        }
        if items.is_empty() {
            return Layout::concat([open, close]);
        }
        let broken = self.one_a_line(&open, &close, &items);
        let mut before = vec![open];
        let count = items.len();
        let mut hugged = None;
        for (index, item) in items.iter().enumerate() {
            if index + 1 == count {
                let calm = before.iter().all(|layout| !layout.breaks());
                if item.hugs && calm {
                    let heads = Layout::flat(Layout::concat(before.clone()));
                    hugged = Some(Layout::concat([heads, item.layout.opened(), close.clone()]));
                }
                before.push(item.layout.clone());
            } else {
                before.extend([item.layout.clone(), Layout::text(", ")]);
            }
        }
        before.push(close);
        match hugged {
            Some(hugged) => Layout::choice(Layout::concat(before), hugged, broken),
            None => Layout::group(broken),
        }
    }

    fn one_a_line(&self, open: &Layout, close: &Layout, items: &[Item]) -> Layout {
        let mut inner = vec![Layout::soft_line()];
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                inner.extend([Layout::text(","), Layout::line()]);
            }
            inner.push(item.layout.clone());
        }
        inner.push(Layout::if_broken(","));
        // An item that breaks makes the whole break.
        Layout::concat([
            open.clone(),
            Layout::indent(Layout::concat(inner)),
            Layout::soft_line(),
            close.clone(),
        ])
    }

    /// Whether a comment stands between the items, not inside one.
    fn has_comments(&self, start: u32, end: u32, items: &[Item]) -> bool {
        let mut from = start;
        for item in items {
            if self.comments.any(from, item.start) {
                return true;
            }
            from = item.end;
        }
        self.comments.any(from, end)
    }

    fn commented(&self, open: Layout, close: Layout, start: u32, end: u32, items: Vec<Item>) -> Layout {
        let mut inner = Vec::new();
        let mut from = start;
        for item in items {
            for chunk in self.comment_chunks(self.comments.take(from, item.start), false) {
                inner.extend([Layout::hard_line(), chunk.layout]);
            }
            inner.extend([Layout::hard_line(), item.layout, Layout::text(",")]);
            for comment in self.trailing(item.end, end) {
                inner.extend([Layout::text(" "), Layout::text(self.source.slice(comment.span).trim_end())]);
            }
            from = item.end;
        }
        for chunk in self.comment_chunks(self.comments.take(from, end), false) {
            inner.extend([Layout::hard_line(), chunk.layout]);
        }
        Layout::concat([open, Layout::indent(Layout::concat(inner)), Layout::hard_line(), close])
    }
}
