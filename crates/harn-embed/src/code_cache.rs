//! Code that earlier runs compiled, kept by the host.

use harn_host::CodeStore;
use harn_runtime::code_cache::CodeCache;
use std::rc::Rc;

#[derive(Debug)]
struct Kept(CodeStore);

impl CodeCache for Kept {
    fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.0.get(key)
    }

    fn put(&self, key: &str, bytes: &[u8]) {
        self.0.put(key, bytes);
    }
}

/// The user's cache of code; `None` when there is none (`HARN_CACHE=off`).
pub fn code_cache() -> Option<Rc<dyn CodeCache>> {
    let store = CodeStore::open(env!("CARGO_PKG_VERSION"))?;
    Some(Rc::new(Kept(store)))
}
