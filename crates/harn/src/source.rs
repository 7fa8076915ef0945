//! Reading the file that a command was given, with words for what can be wrong with it.

use harn_effect::{Data, Host, Op, Raised, Request, Ticket};
use harn_host::RealHost;

/// The text of the file at `path`, or a line about why there is none (spec 01 section 8).
pub fn read(path: &str) -> Result<String, String> {
    let mut host = RealHost::new();
    let mut ask = |op| {
        let args = Data::dict([("path", Data::from(path))]);
        match host.start(Ticket(0), Request { op, args }) {
            Some(Ok(data)) => Ok(data),
            Some(Err(Raised::Runtime(text))) => Err(text),
            Some(Err(_)) | None => Err("unreadable".to_owned()),
        }
    };
    if ask(Op::FileStat)?.field("kind").as_str() == Some("dir") {
        return Err(format!("Error reading {path}: is a directory, not a program"));
    }
    match ask(Op::FileRead) {
        Ok(Data::Bytes(bytes)) => String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            format!("Error reading {path}: not valid UTF-8 (first bad byte at offset {at})")
        }),
        Ok(_) => Err(format!("Error reading {path}: no bytes")),
        Err(text) => Err(format!("Error reading {path}: {text}")),
    }
}
