//! Compression and archives (spec 05 section 5.8).

use std::io::{Cursor, Read, Write};

use flate2::{Compression, GzBuilder};
use harn_vm::{NativeResult, Value, View};

use crate::arguments::{Body, done, entry, get, int, runtime_error, text_of};
use crate::bytes::{bytes, content};

/// The bodies.
pub const BODIES: &[Body] = &[
    ("gzip_encode", |_, a| {
        compress("gzip_encode", "level", a, 6, (0, 9), |level, data| {
            let mut out = GzBuilder::new().write(Vec::new(), Compression::new(level as u32));
            out.write_all(data)?;
            out.finish()
        })
    }),
    ("zstd_encode", |_, a| {
        let range = zstd::compression_level_range();
        let range = (i64::from(*range.start()), i64::from(*range.end()));
        compress("zstd_encode", "level", a, 3, range, |level, data| zstd::encode_all(data, level as i32))
    }),
    ("brotli_encode", |_, a| {
        compress("brotli_encode", "quality", a, 11, (0, 11), |quality, data| {
            let mut out = Vec::new();
            let mut writer = brotli::CompressorWriter::new(&mut out, 4096, quality as u32, 22);
            writer.write_all(data)?;
            drop(writer);
            Ok(out)
        })
    }),
    ("gzip_decode", |_, a| {
        decompress("gzip_decode", a, |data| bounded(flate2::read::MultiGzDecoder::new(data)))
    }),
    ("zstd_decode", |_, a| decompress("zstd_decode", a, |data| zstd::Decoder::new(data).and_then(bounded))),
    ("brotli_decode", |_, a| {
        decompress("brotli_decode", a, |data| bounded(brotli::Decompressor::new(data, 4096)))
    }),
    ("tar_create", |_, a| match entries("tar_create", get(a, 0)) {
        Ok(entries) => finished("tar_create", tar_create(&entries).map(Value::bytes)),
        Err(error) => error,
    }),
    ("tar_extract", |_, a| match bytes("tar_extract", a, 0) {
        Ok(data) => finished("tar_extract", tar_extract(data)),
        Err(error) => error,
    }),
    ("zip_create", |_, a| match entries("zip_create", get(a, 0)) {
        Ok(entries) => finished("zip_create", zip_create(&entries).map(Value::bytes)),
        Err(error) => error,
    }),
    ("zip_extract", |_, a| match bytes("zip_extract", a, 0) {
        Ok(data) => finished("zip_extract", zip_extract(data)),
        Err(error) => error,
    }),
];

/// Decompressed data larger than this is refused.
const MAX_BYTES: u64 = 1 << 30;

/// Everything a reader gives, unless it is too much.
fn bounded(reader: impl Read) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    reader.take(MAX_BYTES + 1).read_to_end(&mut out)?;
    if out.len() as u64 > MAX_BYTES {
        return Err(std::io::Error::other("decompressed data is too large"));
    }
    Ok(out)
}

fn compress(
    name: &str,
    option: &str,
    args: &[Value],
    default: i64,
    (low, high): (i64, i64),
    encode: impl FnOnce(i64, &[u8]) -> std::io::Result<Vec<u8>>,
) -> NativeResult {
    let level = int(args, 1).unwrap_or(default);
    if !(low..=high).contains(&level) {
        return runtime_error(format!("{name}: {option} must be between {low} and {high}, got {level}"));
    }
    finished(name, encode(level, &content(get(args, 0))).map(Value::bytes))
}

fn decompress(
    name: &str,
    args: &[Value],
    decode: impl FnOnce(&[u8]) -> std::io::Result<Vec<u8>>,
) -> NativeResult {
    match bytes(name, args, 0) {
        Ok(data) => finished(name, decode(data).map(Value::bytes)),
        Err(error) => error,
    }
}

fn finished(name: &str, result: std::io::Result<Value>) -> NativeResult {
    match result {
        Ok(value) => done(value),
        Err(e) => runtime_error(format!("{name}: {e}")),
    }
}

/// A file of an archive to be made.
struct Entry {
    path: String,
    content: Vec<u8>,
    mode: u32,
}

fn entries(name: &str, value: &Value) -> Result<Vec<Entry>, NativeResult> {
    let View::List(list) = value.view() else {
        return Err(runtime_error(format!("{name}: entries must be a list, got {}", value.type_name())));
    };
    let checked = list.as_slice().iter().enumerate().map(|(i, given)| {
        archive_entry(given).map_err(|problem| format!("{name}: entry {} {problem}", i + 1))
    });
    checked.collect::<Result<_, String>>().map_err(runtime_error)
}

fn archive_entry(given: &Value) -> Result<Entry, String> {
    let path = entry(given, "path").ok_or("is missing path")?;
    let path = text_of(&path).into_owned();
    if path.is_empty() {
        return Err("path must not be empty".to_owned());
    }
    let body = entry(given, "content").ok_or("is missing content")?;
    let content = match body.view() {
        View::Bytes(bytes) => bytes.to_vec(),
        View::Str(text) => text.as_bytes().to_vec(),
        _ => return Err(format!("content must be bytes or string, got {}", body.type_name())),
    };
    let mode = entry(given, "mode").and_then(|m| m.as_int()).unwrap_or(0o644);
    let mode = u32::try_from(mode).ok().filter(|m| *m <= 0o7777);
    Ok(Entry { path, content, mode: mode.ok_or("mode must be between 0 and 4095")? })
}

fn tar_create(entries: &[Entry]) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for entry in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(entry.content.len() as u64);
        header.set_mode(entry.mode);
        archive.append_data(&mut header, &entry.path, entry.content.as_slice())?;
    }
    archive.into_inner()
}

fn tar_extract(data: &[u8]) -> std::io::Result<Value> {
    let mut archive = tar::Archive::new(data);
    let mut out = Vec::new();
    for file in archive.entries()? {
        let mut file = file?;
        if file.header().entry_type().is_dir() {
            continue;
        }
        let path = String::from_utf8_lossy(&file.path_bytes()).into_owned();
        let mode = i64::from(file.header().mode()?);
        let content = Value::bytes(bounded(&mut file)?);
        out.push(Value::dict([
            ("path", Value::string(path)),
            ("content", content),
            ("mode", Value::int(mode)),
        ]));
    }
    Ok(Value::list(out))
}

fn zip_create(entries: &[Entry]) -> std::io::Result<Vec<u8>> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    // The default time is the first that the format knows: the same entries give the same bytes.
    let options = zip::write::SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
    for entry in entries {
        archive.start_file(entry.path.as_str(), options)?;
        archive.write_all(&entry.content)?;
    }
    Ok(archive.finish()?.into_inner())
}

fn zip_extract(data: &[u8]) -> std::io::Result<Value> {
    let mut archive = zip::ZipArchive::new(Cursor::new(data))?;
    let mut out = Vec::new();
    for i in 0..archive.len() {
        let mut file = archive.by_index(i)?;
        if file.is_dir() {
            continue;
        }
        let path = Value::str(&file.name()?);
        out.push(Value::dict([("path", path), ("content", Value::bytes(bounded(&mut file)?))]));
    }
    Ok(Value::list(out))
}
