//! Arrow IPC files of one record batch each: written to bytes, read back out of a map without a copy.

use crate::error::PopulationError;
use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::error::ArrowError;
use arrow::ipc::reader::{FileDecoder, read_footer_length};
use arrow::ipc::writer::{FileWriter, IpcWriteOptions};
use arrow::ipc::{MetadataVersion, convert, root_as_footer};
use care_domain::canonical::digest;
use std::fs::File;
use std::path::Path;
use std::ptr::NonNull;
use std::sync::Arc;

/// Length of the footer's length and the closing magic.
const TRAILER: usize = 10;

/// The bytes of a file that holds one batch. The same batch gives the same bytes.
pub(crate) fn encode(batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
    // 64-byte alignment, so that columns can be read where they lie; no compression, for the same reason.
    let options = IpcWriteOptions::try_new(64, false, MetadataVersion::V5)?;
    let mut writer = FileWriter::try_new_with_options(Vec::new(), &batch.schema(), options)?;
    writer.write(batch)?;
    writer.into_inner()
}

/// Opens a file that must hold exactly the bytes of a digest. Its columns lie in the mapped file.
pub(crate) fn open(path: &Path, sha256: &str) -> Result<RecordBatch, PopulationError> {
    let buffer = map(path)?;
    if digest(&buffer) != sha256 {
        return Err(PopulationError::damaged(
            path,
            "was changed: its SHA-256 is not the recorded one. Restore it from a copy",
        ));
    }
    decode(&buffer).map_err(PopulationError::columns("read", path))
}

fn decode(buffer: &Buffer) -> Result<RecordBatch, ArrowError> {
    let broken = |what: &str| ArrowError::IpcError(what.to_owned());
    let footer_end = buffer.len().checked_sub(TRAILER).ok_or_else(|| broken("too short"))?;
    let mut trailer = [0u8; TRAILER];
    trailer.copy_from_slice(&buffer[footer_end..]);
    let footer_start = footer_end.checked_sub(read_footer_length(trailer)?).ok_or_else(|| broken("no footer"))?;
    let footer = root_as_footer(&buffer[footer_start..footer_end]).map_err(|e| ArrowError::IpcError(e.to_string()))?;
    let schema = convert::try_fb_to_schema(footer.schema().ok_or_else(|| broken("no schema"))?)?;
    let blocks = footer.recordBatches().filter(|b| b.len() == 1).ok_or_else(|| broken("not one record batch"))?;
    let block = blocks.get(0);
    let length = block.bodyLength() as usize + block.metaDataLength() as usize;
    let data = buffer.slice_with_length(block.offset() as usize, length);
    let decoder = FileDecoder::new(Arc::new(schema), footer.version()).with_require_alignment(true);
    decoder.read_record_batch(block, &data)?.ok_or_else(|| broken("no record batch"))
}

/// The file as a buffer that unmaps it when the last column is dropped.
fn map(path: &Path) -> Result<Buffer, PopulationError> {
    let file = File::open(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => PopulationError::damaged(path, "is gone. Restore it from a copy"),
        _ => PopulationError::io("open", path)(e),
    })?;
    #[allow(unsafe_code, reason = "mapping a file is unsafe in Rust because another process could change it")]
    // SAFETY: these files are written once under another name, renamed, and never written again.
    let map = unsafe { memmap2::Mmap::map(&file) }.map_err(PopulationError::io("map", path))?;
    let (start, length) = (NonNull::from(&map[..]).cast::<u8>(), map.len());
    #[allow(unsafe_code, reason = "Arrow takes foreign memory only this way")]
    // SAFETY: the range is the whole map, which does not move and lives as long as the buffer that owns it.
    let buffer = unsafe { Buffer::from_custom_allocation(start, length, Arc::new(map)) };
    Ok(buffer)
}
