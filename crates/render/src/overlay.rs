//! Overlays: captions and logos blended onto canvas pictures.
//!
//! An overlay is kept as premultiplied planes of the canvas' own colour space, so that blending is one multiply
//! and add a sample.

use ffmpeg_next as ffmpeg;
use storyboard::Canvas;

/// A picture with alpha in planar YUV 4:2:0, premultiplied; chroma is relative to its neutral 128.
pub(crate) struct Overlay {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
    luma: Vec<u8>,
    alpha: Vec<u8>,
    chroma: [Vec<i16>; 2],
    chroma_alpha: Vec<u8>,
}

impl Overlay {
    /// From premultiplied RGBA at an even place, with even sides, inside the canvas; `None` where it is not.
    pub(crate) fn from_rgba(
        canvas: Canvas,
        x: u32,
        y: u32,
        width: u32,
        height: u32,
        rgba: &[u8],
    ) -> Option<Self> {
        let even = [x, y, width, height].iter().all(|side| side % 2 == 0) && width > 0 && height > 0;
        let inside = x.checked_add(width)? <= canvas.width && y.checked_add(height)? <= canvas.height;
        let (w, h) = (width as usize, height as usize);
        if !even || !inside || rgba.len() != w * h * 4 {
            return None;
        }
        let mut overlay = Self {
            x: x as usize,
            y: y as usize,
            width: w,
            height: h,
            luma: Vec::with_capacity(w * h),
            alpha: Vec::with_capacity(w * h),
            chroma: [Vec::with_capacity(w * h / 4), Vec::with_capacity(w * h / 4)],
            chroma_alpha: Vec::with_capacity(w * h / 4),
        };
        for pixel in rgba.chunks_exact(4) {
            let [r, g, b, a] = [pixel[0], pixel[1], pixel[2], pixel[3]].map(f32::from);
            // BT.709 limited range; the offset 16 is premultiplied too.
            let luma = 16.0 * a / 255.0 + (0.2126 * r + 0.7152 * g + 0.0722 * b) * 219.0 / 255.0;
            overlay.luma.push((luma + 0.5) as u8);
            overlay.alpha.push(pixel[3]);
        }
        for row in (0..h).step_by(2) {
            for column in (0..w).step_by(2) {
                let at = |dy: usize, dx: usize| &rgba[((row + dy) * w + column + dx) * 4..][..4];
                let block = [at(0, 0), at(0, 1), at(1, 0), at(1, 1)];
                let mean = |channel: usize| block.iter().map(|p| f32::from(p[channel])).sum::<f32>() / 4.0;
                let (r, g, b, a) = (mean(0), mean(1), mean(2), mean(3));
                let grey = 0.2126 * r + 0.7152 * g + 0.0722 * b;
                let scale = 224.0 / 255.0;
                overlay.chroma[0].push(((b - grey) / 1.8556 * scale).round() as i16);
                overlay.chroma[1].push(((r - grey) / 1.5748 * scale).round() as i16);
                overlay.chroma_alpha.push(a.round() as u8);
            }
        }
        Some(overlay)
    }

    /// Blends onto a canvas picture whose planes belong to the caller alone.
    pub(crate) fn blend(&self, frame: &mut ffmpeg::frame::Video) {
        let stride = frame.stride(0);
        let luma = frame.data_mut(0);
        for row in 0..self.height {
            let target = &mut luma[(self.y + row) * stride + self.x..][..self.width];
            let from = row * self.width..(row + 1) * self.width;
            for ((out, add), alpha) in target.iter_mut().zip(&self.luma[from.clone()]).zip(&self.alpha[from])
            {
                let rest = 255 - u16::from(*alpha);
                *out = (divide_255(u16::from(*out) * rest) + u16::from(*add)).min(255) as u8;
            }
        }
        let (width, height) = (self.width / 2, self.height / 2);
        for plane in 0..2 {
            let stride = frame.stride(plane + 1);
            let data = frame.data_mut(plane + 1);
            for row in 0..height {
                let target = &mut data[(self.y / 2 + row) * stride + self.x / 2..][..width];
                let from = row * width..(row + 1) * width;
                let adds = &self.chroma[plane][from.clone()];
                for ((out, add), alpha) in target.iter_mut().zip(adds).zip(&self.chroma_alpha[from]) {
                    let rest = 255 - i32::from(*alpha);
                    let base = (i32::from(*out) - 128) * rest;
                    let base = (base + if base < 0 { -127 } else { 127 }) / 255;
                    *out = (128 + base + i32::from(*add)).clamp(0, 255) as u8;
                }
            }
        }
    }
}

/// What was on a canvas picture where an overlay was blended, to take the overlay off again.
pub(crate) struct Covered {
    planes: [Vec<u8>; 3],
}

impl Overlay {
    /// Keeps what the overlay will cover.
    pub(crate) fn covered(&self, frame: &ffmpeg::frame::Video) -> Covered {
        let planes = std::array::from_fn(|plane| {
            let (stride, data) = (frame.stride(plane), frame.data(plane));
            let rows = self.rows(plane, stride);
            rows.flat_map(|row| data[row].iter().copied()).collect()
        });
        Covered { planes }
    }

    /// Puts back what the overlay had covered.
    pub(crate) fn uncover(&self, frame: &mut ffmpeg::frame::Video, covered: &Covered) {
        for (plane, kept) in covered.planes.iter().enumerate() {
            let stride = frame.stride(plane);
            let data = frame.data_mut(plane);
            let width = self.width >> usize::from(plane > 0);
            for (row, kept) in self.rows(plane, stride).zip(kept.chunks_exact(width)) {
                data[row].copy_from_slice(kept);
            }
        }
    }

    /// Where the overlay's rows lie in a plane.
    fn rows(&self, plane: usize, stride: usize) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
        let shift = usize::from(plane > 0);
        let (x, y, width, height) =
            (self.x >> shift, self.y >> shift, self.width >> shift, self.height >> shift);
        (y..y + height).map(move |row| row * stride + x..row * stride + x + width)
    }
}

/// Rounded division by 255 of a product of two bytes.
fn divide_255(product: u16) -> u16 {
    (((u32::from(product) + 128) * 257) >> 16) as u16
}

/// Lays a picture with an alpha plane on black, in place of its colour planes.
pub(crate) fn flatten(frame: &ffmpeg::frame::Video, canvas: Canvas) -> ffmpeg::frame::Video {
    let mut out = ffmpeg::frame::Video::new(ffmpeg::format::Pixel::YUV420P, canvas.width, canvas.height);
    let (width, height) = (canvas.width as usize, canvas.height as usize);
    let alpha_stride = frame.stride(3);
    let alpha = frame.data(3);
    for (plane, (shift, neutral)) in [(0, 16i32), (1, 128), (1, 128)].into_iter().enumerate() {
        let (from_stride, to_stride) = (frame.stride(plane), out.stride(plane));
        let from = frame.data(plane);
        let to = out.data_mut(plane);
        for row in 0..height >> shift {
            for column in 0..width >> shift {
                let a = i32::from(alpha[(row << shift) * alpha_stride + (column << shift)]);
                let value = i32::from(from[row * from_stride + column]);
                to[row * to_stride + column] = (neutral + (value - neutral) * a / 255) as u8;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANVAS: Canvas = Canvas { width: 8, height: 8 };

    fn grey(luma: u8) -> ffmpeg::frame::Video {
        let mut frame = ffmpeg::frame::Video::new(ffmpeg::format::Pixel::YUV420P, 8, 8);
        for (plane, value) in [luma, 128, 128].into_iter().enumerate() {
            frame.data_mut(plane).fill(value);
        }
        frame
    }

    #[test]
    fn opaque_white_replaces_and_transparent_leaves() {
        let mut rgba = vec![255u8; 4 * 4 * 4];
        let mut frame = grey(50);
        Overlay::from_rgba(CANVAS, 2, 2, 4, 4, &rgba).unwrap().blend(&mut frame);
        let stride = frame.stride(0);
        assert_eq!(frame.data(0)[3 * stride + 3], 235);
        assert_eq!(frame.data(0)[0], 50);
        rgba.fill(0);
        Overlay::from_rgba(CANVAS, 0, 0, 4, 4, &rgba).unwrap().blend(&mut frame);
        assert_eq!(frame.data(0)[0], 50);
        assert_eq!(frame.data(1)[0], 128);
    }

    #[test]
    fn an_overlay_comes_off_without_a_trace() {
        let rgba: Vec<u8> = (0..4 * 6 * 4u8).map(|value| value.wrapping_mul(7) / 2).collect();
        let overlay = Overlay::from_rgba(CANVAS, 2, 0, 4, 6, &rgba).unwrap();
        let (mut frame, clean) = (grey(90), grey(90));
        let covered = overlay.covered(&frame);
        overlay.blend(&mut frame);
        assert_ne!(frame.data(0), clean.data(0));
        overlay.uncover(&mut frame, &covered);
        assert!((0..3).all(|plane| frame.data(plane) == clean.data(plane)));
    }

    #[test]
    fn opaque_red_has_the_colour_of_bt709() {
        let rgba: Vec<u8> = [255, 0, 0, 255].repeat(16);
        let mut frame = grey(50);
        Overlay::from_rgba(CANVAS, 0, 0, 4, 4, &rgba).unwrap().blend(&mut frame);
        assert_eq!((frame.data(0)[0], frame.data(1)[0], frame.data(2)[0]), (63, 102, 240));
    }

    #[test]
    fn what_is_odd_or_outside_is_refused() {
        assert!(Overlay::from_rgba(CANVAS, 1, 0, 4, 4, &[0; 64]).is_none());
        assert!(Overlay::from_rgba(CANVAS, 6, 0, 4, 4, &[0; 64]).is_none());
        assert!(Overlay::from_rgba(CANVAS, 0, 0, 4, 4, &[0; 63]).is_none());
        assert!(Overlay::from_rgba(CANVAS, u32::MAX - 1, 0, 4, 4, &[0; 64]).is_none());
    }
}
