//! Paths as text: `\` counts as `/`, a leading `X:` is a drive, results have `/` (spec 06 section 1.2).

/// A path taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// `X:` when the path begins with a drive.
    pub drive: Option<String>,
    /// Whether it starts at a root.
    pub absolute: bool,
    /// The non-empty segments.
    pub segments: Vec<String>,
}

impl Path {
    /// Reads a path.
    pub fn parse(text: &str) -> Path {
        let text = text.replace('\\', "/");
        let mut chars = text.chars();
        let drive = match (chars.next(), chars.next()) {
            (Some(letter), Some(':')) if letter.is_ascii_alphabetic() => Some(format!("{letter}:")),
            _ => None,
        };
        let rest = text.get(drive.as_ref().map_or(0, String::len)..).unwrap_or("");
        Path {
            drive,
            absolute: rest.starts_with('/'),
            segments: rest.split('/').filter(|s| !s.is_empty()).map(str::to_owned).collect(),
        }
    }

    /// The text of this root followed by segments.
    fn with_segments(&self, segments: &[String]) -> String {
        let root = if self.absolute { "/" } else { "" };
        format!("{}{root}{}", self.drive.as_deref().unwrap_or(""), segments.join("/"))
    }

    /// The path as text.
    pub fn text(&self) -> String {
        self.with_segments(&self.segments)
    }

    /// The last segment, `""` when there is none.
    pub fn file(&self) -> &str {
        self.segments.last().map_or("", String::as_str)
    }

    /// The text before the last segment: `""` for a single relative one, the root for the child of a root.
    pub fn parent(&self) -> String {
        let keep = self.segments.len().saturating_sub(1);
        self.with_segments(self.segments.get(..keep).unwrap_or(&[]))
    }

    /// Without `.` and, where possible, `..`.
    pub fn normal(&self) -> Path {
        let mut out: Vec<String> = Vec::with_capacity(self.segments.len());
        for segment in &self.segments {
            match segment.as_str() {
                "." => {}
                ".." if out.last().is_some_and(|s| s != "..") => {
                    out.pop();
                }
                ".." if self.absolute => {}
                _ => out.push(segment.clone()),
            }
        }
        Path { segments: out, ..self.clone() }
    }
}

/// A file name as stem and extension; the extension has its dot; dot-files have none.
pub fn split_extension(file: &str) -> (&str, &str) {
    match file.rfind('.') {
        Some(at) if at > 0 && !file.chars().all(|c| c == '.') => file.split_at(at),
        _ => (file, ""),
    }
}

/// `path_normalize`.
pub fn normalize(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let out = Path::parse(text).normal().text();
    if out.is_empty() { ".".to_owned() } else { out }
}

/// `path_relative_to`: `None` when the two have no common start.
pub fn relative_to(path: &str, base: &str) -> Option<String> {
    let (path, base) = (Path::parse(path).normal(), Path::parse(base).normal());
    if path.absolute != base.absolute || path.drive != base.drive {
        return None;
    }
    let common = path.segments.iter().zip(&base.segments).take_while(|(a, b)| a == b).count();
    let ups = base.segments.get(common..).unwrap_or(&[]);
    if ups.iter().any(|s| s == "..") {
        return None;
    }
    let downs = path.segments.get(common..).unwrap_or(&[]).iter().map(String::as_str);
    let out: Vec<&str> = ups.iter().map(|_| "..").chain(downs).collect();
    Some(if out.is_empty() { ".".to_owned() } else { out.join("/") })
}

/// `path_with_extension` and `path_with_stem`.
pub fn with_file(text: &str, rename: impl FnOnce(&str, &str) -> String) -> String {
    let mut path = Path::parse(text);
    if let Some(file) = path.segments.last_mut() {
        let (stem, ext) = split_extension(file);
        *file = rename(stem, ext);
    }
    path.text()
}

/// `path_join`: an absolute part discards what came before.
pub fn join<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for part in parts {
        if part.starts_with('/') {
            out.clear();
        } else if !out.is_empty() && !out.ends_with('/') {
            out.push('/');
        }
        out.push_str(part);
    }
    out
}

/// `dirname` by the rules of the platform.
pub fn dirname(text: &str) -> String {
    std::path::Path::new(text).parent().map_or_else(String::new, |p| p.to_string_lossy().into_owned())
}

/// `basename` by the rules of the platform.
pub fn basename(text: &str) -> String {
    std::path::Path::new(text).file_name().map_or_else(String::new, |p| p.to_string_lossy().into_owned())
}

/// `extname` by the rules of the platform, with its dot.
pub fn extname(text: &str) -> String {
    std::path::Path::new(text)
        .extension()
        .map_or_else(String::new, |ext| format!(".{}", ext.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_fold_but_not_above_the_root() {
        assert_eq!(normalize("/a/../../b/./c/"), "/b/c");
        assert_eq!(normalize("../a/.."), "..");
        assert_eq!(normalize("a/.."), ".");
        assert_eq!(normalize(""), "");
        assert_eq!(normalize("C:\\x\\..\\y"), "C:/y");
    }

    #[test]
    fn relative_paths_climb_as_needed() {
        assert_eq!(relative_to("/a/b/c", "/a/d").as_deref(), Some("../b/c"));
        assert_eq!(relative_to("/a", "/a").as_deref(), Some("."));
        assert_eq!(relative_to("/a", "a"), None);
    }

    #[test]
    fn dot_files_have_no_extension() {
        assert_eq!(split_extension(".env"), (".env", ""));
        assert_eq!(split_extension("a.tar.gz"), ("a.tar", ".gz"));
    }

    #[test]
    fn joining_an_absolute_part_starts_anew() {
        assert_eq!(join(["a", "b", "c"]), "a/b/c");
        assert_eq!(join(["a", "/b"]), "/b");
        assert_eq!(join([]), "");
    }
}
