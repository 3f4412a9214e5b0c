//! The captions of a scene as pixels in an anonymous file, for a child to read.

use std::fs::File;
use std::io::{self, Write};

use captions::Typesetter;
use plan::ScenePlan;
use rustix::fs::MemfdFlags;
use storyboard::Canvas;
use worker::OverlayRef;

/// Rasters the pages of a scene that are wanted, each once.
pub(crate) fn raster(
    typesetter: &Typesetter,
    scene: &ScenePlan,
    canvas: Canvas,
    wanted: impl Fn(usize) -> bool,
) -> io::Result<(File, Vec<Option<OverlayRef>>)> {
    let mut file = File::from(rustix::fs::memfd_create("captions", MemfdFlags::CLOEXEC)?);
    let mut offset = 0;
    let mut overlays = Vec::with_capacity(scene.pages.len());
    for (number, page) in scene.pages.iter().enumerate() {
        let Some(bitmap) = wanted(number).then(|| typesetter.raster(page, canvas)).flatten() else {
            overlays.push(None);
            continue;
        };
        file.write_all(&bitmap.pixels)?;
        let (x, y, width, height) = (bitmap.x, bitmap.y, bitmap.width, bitmap.height);
        overlays.push(Some(OverlayRef { offset, x, y, width, height }));
        offset += bitmap.pixels.len() as u64;
    }
    Ok((file, overlays))
}
