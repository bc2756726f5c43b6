//! Images that are kept open, and changes of them.

use base64::{engine::general_purpose::STANDARD as BASE64, Engine};
use imago::{
    file::File, format::PreallocateMode, qcow2::Qcow2, FormatAccess, FormatCreateBuilder,
    FormatDriverBuilder, PermissiveImplicitOpenGate, Storage, StorageOpenOptions,
};
use serde_json::{json, Value};
use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, RwLock};

/// The images that are open for writing. Discards and resizes exclude other requests.
pub type Images = Mutex<HashMap<String, Arc<RwLock<FormatAccess<File>>>>>;

fn path(request: &Value) -> &str {
    request["image"].as_str().unwrap_or("")
}

pub fn open(request: &Value, write: bool) -> io::Result<FormatAccess<File>> {
    let builder = Qcow2::<File>::builder_path(path(request)).write(write);
    Ok(FormatAccess::new(builder.open(PermissiveImplicitOpenGate::default())?))
}

pub fn number(request: &Value, name: &str) -> Option<u64> {
    request[name].as_str().and_then(|text| text.parse().ok())
}

/// Makes an image, or an existing file empty and an image.
fn create(request: &Value) -> io::Result<Value> {
    std::fs::File::create(path(request))?;
    let file = File::open(StorageOpenOptions::new().filename(path(request)).write(true))?;
    let size = number(request, "size").unwrap_or(0);
    Qcow2::<File>::create_builder(file).size(size).create()?;
    Ok(json!({}))
}

fn image(images: &Images, request: &Value) -> io::Result<Arc<RwLock<FormatAccess<File>>>> {
    let mut images = images.lock().unwrap();
    if let Some(image) = images.get(path(request)) {
        return Ok(image.clone());
    }
    let image = Arc::new(RwLock::new(open(request, true)?));
    images.insert(path(request).to_string(), image.clone());
    Ok(image)
}

/// The answer to a request for a change.
pub fn change(images: &Images, request: &Value, operation: &str) -> io::Result<Value> {
    match operation {
        "create" => return create(request),
        "close" => return close(images, request),
        "read" | "write" | "write-zeroes" | "discard" | "flush" | "resize" => {}
        _ => return Err(io::Error::new(ErrorKind::Unsupported, operation)),
    }
    let offset = number(request, "offset").unwrap_or(0);
    let length = number(request, "length").unwrap_or(0);
    let image = image(images, request)?;
    match operation {
        "discard" => image.write().unwrap().discard_to_any(offset, length)?,
        "resize" => {
            let size = number(request, "size").unwrap_or(0);
            image.write().unwrap().resize(size, PreallocateMode::None)?
        }
        "read" => {
            let mut buffer = vec![0; length as usize];
            image.read().unwrap().read(&mut buffer[..], offset)?;
            return Ok(json!({"data": BASE64.encode(buffer)}));
        }
        "write" => {
            let data = BASE64.decode(request["data"].as_str().unwrap_or("")).expect("base64");
            image.read().unwrap().write(&data[..], offset)?
        }
        "write-zeroes" => image.read().unwrap().write_zeroes(offset, length)?,
        _ => {
            image.read().unwrap().flush()?;
            image.read().unwrap().sync()?
        }
    }
    Ok(json!({}))
}

fn close(images: &Images, request: &Value) -> io::Result<Value> {
    if images.lock().unwrap().contains_key(path(request)) {
        change(images, request, "flush")?;
        images.lock().unwrap().remove(path(request));
    }
    Ok(json!({}))
}
