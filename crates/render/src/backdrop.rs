//! Pictures that the program makes: plain colours, and a calm backdrop for a scene without a background.

use ffmpeg_next as ffmpeg;
use storyboard::{Canvas, Rgba};

/// A plain colour, BT.709 limited range.
pub(crate) fn colour(canvas: Canvas, colour: Rgba) -> ffmpeg::frame::Video {
    let mut frame = ffmpeg::frame::Video::new(ffmpeg::format::Pixel::YUV420P, canvas.width, canvas.height);
    let values = yuv([colour.r, colour.g, colour.b].map(f32::from));
    for (plane, value) in values.into_iter().enumerate() {
        frame.data_mut(plane).fill((value + 0.5) as u8);
    }
    frame
}

/// A dark, slow gradient of two neighbouring hues with a soft light in it; the same for the same seed. Dithered,
/// so that eight bits show no bands.
pub(crate) fn generated(canvas: Canvas, seed: u64) -> ffmpeg::frame::Video {
    let mut random = SplitMix(seed);
    let hue = random.unit();
    let near = palette(hue, 0.55, 0.34);
    let far = palette((hue + 0.12 + 0.1 * random.unit()).fract(), 0.60, 0.16);
    let light = palette((hue + 0.05).fract(), 0.35, 0.62);
    let (light_x, light_y) = (0.2 + 0.6 * random.unit(), 0.1 + 0.35 * random.unit());
    let (sin, cos) = (std::f32::consts::TAU * random.unit()).sin_cos();
    let mut frame = ffmpeg::frame::Video::new(ffmpeg::format::Pixel::YUV420P, canvas.width, canvas.height);
    let aspect = canvas.width as f32 / canvas.height as f32;
    let at = |x: f32, y: f32| {
        let (u, v) = (x / canvas.width as f32, y / canvas.height as f32);
        let along = (0.5 + (u - 0.5) * cos * 0.8 + (v - 0.5) * sin * 0.8).clamp(0.0, 1.0);
        let along = along * along * (3.0 - 2.0 * along);
        let (dx, dy) = ((u - light_x) * aspect, v - light_y);
        let glow = 0.35 / (1.0 + 9.0 * (dx * dx + dy * dy)).powi(2);
        let mix = |a: f32, b: f32, t: f32| a + (b - a) * t;
        let rgb: [f32; 3] = std::array::from_fn(|i| mix(mix(near[i], far[i], along), light[i], glow));
        yuv(rgb)
    };
    for (plane, shift) in [0u32, 1, 1].into_iter().enumerate() {
        let stride = frame.stride(plane);
        let data = frame.data_mut(plane);
        let step = (1 << shift) as f32;
        for row in 0..(canvas.height >> shift) as usize {
            for column in 0..(canvas.width >> shift) as usize {
                let value = at((column as f32 + 0.5) * step, (row as f32 + 0.5) * step)[plane];
                let noise =
                    SplitMix(seed ^ ((plane as u64) << 60 | (row as u64) << 30 | column as u64)).unit();
                data[row * stride + column] = (value + noise) as u8;
            }
        }
    }
    frame
}

/// RGB 0 to 255 to BT.709 limited range.
fn yuv([r, g, b]: [f32; 3]) -> [f32; 3] {
    let grey = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    let scale = 224.0 / 255.0;
    [16.0 + grey * 219.0 / 255.0, 128.0 + (b - grey) / 1.8556 * scale, 128.0 + (r - grey) / 1.5748 * scale]
}

/// Hue, saturation and value, 0 to 1, as RGB 0 to 255.
fn palette(hue: f32, saturation: f32, value: f32) -> [f32; 3] {
    let channel = |offset: f32| {
        let k = (offset + hue * 6.0) % 6.0;
        255.0 * (value - value * saturation * k.min(4.0 - k).clamp(0.0, 1.0))
    };
    [channel(5.0), channel(3.0), channel(1.0)]
}

/// A small fixed generator: the same numbers on every machine.
pub(crate) struct SplitMix(pub(crate) u64);

impl SplitMix {
    /// From 0 up to 1.
    pub(crate) fn unit(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1 << 24) as f32
    }
}
