//! Frames that carry their number: one column a bit, a block that is white for 1 over a block that is white for 0.

use std::path::Path;

use crate::films::{Folder, decode};

/// Side of a block in pixels.
pub(crate) const BLOCK: usize = 24;
/// Columns, the lowest bit first.
pub(crate) const BITS: usize = 12;
/// Rows: the number, and the same inverted.
pub(crate) const ROWS: usize = 2;

/// Makes a video of 320 x 180 at 30 frames a second whose frames are numbered from `first`.
pub(crate) fn video(folder: &Folder, name: &str, first: u16, frames: u16) {
    folder.ffmpeg(&format!(
        "-f lavfi -i testsrc2=size=320x180:rate=30 -f lavfi -i color=black:size={}x{}:rate=30,format=gray,geq=lum='{}' \
         -filter_complex [0][1]overlay,format=yuv420p -frames:v {frames} -c:v libx264 -preset veryfast {name}",
        BITS * BLOCK,
        ROWS * BLOCK,
        // Neighbours of a comma in a filter are other filters, unless it is quoted.
        format_args!("255*abs(mod(floor((N+{first})/pow(2,floor(X/{BLOCK}))),2)-floor(Y/{BLOCK}))"),
    ));
}

/// Makes a still of 320 x 180 that carries a number.
pub(crate) fn still(folder: &Folder, name: &str, number: u16) {
    let video_name = format!("{name}.mkv");
    video(folder, &video_name, number, 1);
    folder.ffmpeg(&format!("-i {video_name} -frames:v 1 {name}"));
}

/// The numbers that a film shows, as the ffmpeg command decodes it; any error of the stream fails the test.
pub(crate) fn shown(film: &Path) -> Vec<u16> {
    let filter =
        format!("crop={}:{}:0:0,scale={BITS}:{ROWS}:flags=area,format=gray", BITS * BLOCK, ROWS * BLOCK);
    let arguments = ["-map", "0:v", "-fps_mode", "passthrough", "-vf", &filter, "-f", "rawvideo"];
    let raw = decode(film, &arguments);
    assert_eq!(raw.len() % (BITS * ROWS), 0);
    raw.chunks(BITS * ROWS).enumerate().map(|(frame, luma)| number(frame, luma)).collect()
}

/// The number that the mean luma of all blocks says.
pub(crate) fn number(frame: usize, luma: &[u8]) -> u16 {
    let (upper, lower) = luma.split_at(BITS);
    upper.iter().zip(lower).enumerate().fold(0, |number, (bit, (one, zero))| {
        assert!(one.abs_diff(*zero) > 100, "frame {frame}: bit {bit} cannot be told: {luma:?}");
        number | u16::from(one > zero) << bit
    })
}
