//! A moving picture of the program's own, for the demo's sample media: hills in a haze, a low sun, drifting lights.
//!
//! Invariants: the same for the same seed; it ends where it began, so that it loops without a seam.

use std::f32::consts::TAU;

use ffmpeg_next as ffmpeg;
use storyboard::Canvas;
use worker::child::{Files, Link};
use worker::{SampleTask, TaskError, Written};

use crate::backdrop::SplitMix;
use crate::container::Writer;
use crate::encode::{PictureEncoder, roles};
use crate::errors::file;

/// The parent hears of every so many frames.
const PROGRESS_EVERY: u64 = 10;
/// Rows of hills.
const HILLS: usize = 5;
/// Drifting lights.
const LIGHTS: usize = 14;
/// Side of the square of noise that is laid over the picture, so that eight bits show no bands.
const NOISE: usize = 64;

/// Draws and encodes the sample of a task.
pub(crate) fn encode(task: &SampleTask, link: &Link, files: &mut Files) -> Result<Written, TaskError> {
    let out = files.take().map_err(file("opening the clip"))?;
    let mut encoder = PictureEncoder::open(task.canvas, task.fps, &task.encoder)?;
    let mut writer = Writer::new(out, &encoder.extradata(), task.fps).map_err(file("writing the clip"))?;
    let mut keep = |packet: &_| writer.write(packet).map_err(file("writing the clip"));
    let landscape = Landscape::new(task.canvas, task.seed);
    let keys = (0..task.frames.saturating_sub(1)).step_by(task.encoder.gop.max(2) as usize);
    for (frame, role) in (0..).zip(roles(task.frames, keys)) {
        let picture = landscape.draw(frame as f32 / task.frames as f32);
        encoder.send(frame, &picture, role, &mut keep)?;
        if frame % PROGRESS_EVERY == 0 {
            link.progress(frame, task.frames);
        }
    }
    encoder.finish(&mut keep)?;
    let head = writer.finish().map_err(file("writing the clip"))?;
    Ok(Written { frames: head.packets, ..Written::default() })
}

/// Luma and both chroma values, BT.709 limited range.
type Yuv = [f32; 3];

struct Landscape {
    canvas: Canvas,
    zenith: Yuv,
    horizon: Yuv,
    sun: Sun,
    hills: [Hill; HILLS],
    lights: [Light; LIGHTS],
    noise: Vec<f32>,
}

struct Sun {
    colour: Yuv,
    x: f32,
    y: f32,
}

/// One row of hills; the last is nearest.
struct Hill {
    crest: Yuv,
    foot: Yuv,
    /// Height of the crest's middle line, 0 at the top.
    line: f32,
    waves: [Wave; 3],
}

/// One sine of a crest.
struct Wave {
    amplitude: f32,
    /// Over the width of the picture.
    cycles: f32,
    phase: f32,
    /// How far it sways to and fro, in radians.
    sway: f32,
    /// When it begins to sway.
    lag: f32,
}

struct Light {
    x: f32,
    y: f32,
    radius: f32,
    strength: f32,
    /// How far it drifts.
    drift: f32,
    phase: f32,
}

impl Landscape {
    fn new(canvas: Canvas, seed: u64) -> Self {
        let mut random = SplitMix(seed);
        // Dusk or dawn: skies of violet to blue, or of teal, with a light in the opposite hue.
        let hue = 0.52 + 0.26 * random.unit();
        let warm = 0.04 + 0.07 * random.unit();
        let sun = Sun {
            colour: palette(warm, 0.42, 1.0),
            x: 0.25 + 0.5 * random.unit(),
            y: 0.34 + 0.1 * random.unit(),
        };
        let hills = std::array::from_fn(|index| {
            let near = index as f32 / (HILLS - 1) as f32;
            let mut wave = |amplitude: f32, cycles: f32| Wave {
                amplitude: amplitude * (0.6 + 0.8 * random.unit()),
                cycles: cycles * (0.8 + 0.4 * random.unit()),
                phase: TAU * random.unit(),
                sway: 0.25 + 0.35 * near,
                lag: TAU * random.unit(),
            };
            Hill {
                crest: palette(hue + 0.04 * near, 0.35 + 0.3 * near, 0.62 - 0.44 * near),
                foot: palette(hue - 0.03 + 0.04 * near, 0.28 + 0.3 * near, 0.72 - 0.42 * near),
                line: 0.44 + 0.42 * near,
                waves: [wave(0.045, 1.1), wave(0.022, 2.7), wave(0.008, 6.1)],
            }
        });
        let lights = std::array::from_fn(|_| Light {
            x: random.unit(),
            y: 0.15 + 0.75 * random.unit(),
            radius: 0.012 + 0.045 * random.unit() * random.unit(),
            strength: 0.25 + 0.45 * random.unit(),
            drift: 0.01 + 0.03 * random.unit(),
            phase: TAU * random.unit(),
        });
        Self {
            canvas,
            zenith: palette(hue + 0.03, 0.62, 0.46),
            horizon: palette(warm + 0.9, 0.30, 0.92),
            sun,
            hills,
            lights,
            noise: (0..NOISE * NOISE).map(|_| random.unit()).collect(),
        }
    }

    /// The picture at a moment from 0 to 1 of the loop.
    fn draw(&self, moment: f32) -> ffmpeg::frame::Video {
        let canvas = self.canvas;
        let mut frame =
            ffmpeg::frame::Video::new(ffmpeg::format::Pixel::YUV420P, canvas.width, canvas.height);
        for plane in 0..3 {
            let shift = u32::from(plane > 0);
            let (width, height) = ((canvas.width >> shift) as usize, (canvas.height >> shift) as usize);
            let mut values = self.land(moment, plane, width, height);
            self.add_lights(moment, plane, &mut values, width, height);
            let stride = frame.stride(plane);
            let data = frame.data_mut(plane);
            for (row, line) in values.chunks_exact(width).enumerate() {
                let noise = &self.noise[(row % NOISE) * NOISE..][..NOISE];
                for (column, (to, value)) in data[row * stride..].iter_mut().zip(line).enumerate() {
                    *to = (value + noise[column % NOISE]) as u8;
                }
            }
        }
        frame
    }

    /// One plane of sky, sun and hills.
    fn land(&self, moment: f32, plane: usize, width: usize, height: usize) -> Vec<f32> {
        let aspect = self.canvas.width as f32 / self.canvas.height as f32;
        let crests: Vec<[f32; HILLS]> =
            (0..width).map(|column| self.crests(moment, (column as f32 + 0.5) / width as f32)).collect();
        let turn = TAU * moment;
        let (sun_x, sun_y) = (self.sun.x + 0.012 * turn.cos(), self.sun.y + 0.010 * turn.sin());
        let mut values = Vec::with_capacity(width * height);
        for row in 0..height {
            let v = (row as f32 + 0.5) / height as f32;
            let sky = mix(self.zenith[plane], self.horizon[plane], smooth(v / 0.62));
            for (column, crests) in crests.iter().enumerate() {
                let (dx, dy) = (((column as f32 + 0.5) / width as f32 - sun_x) * aspect, v - sun_y);
                let distance = dx * dx + dy * dy;
                let halo = 0.75 / (1.0 + 26.0 * distance);
                // What is nearer covers what is farther: only the nearest ground and the edges before it are drawn.
                let height = height as f32;
                let ground = crests.iter().rposition(|crest| (v - crest) * height >= 1.0);
                let land = |index: usize| {
                    let hill = &self.hills[index];
                    let haze = smooth((v - crests[index]) / 0.34);
                    // The sun's light reaches over the crests.
                    mix(mix(hill.crest[plane], hill.foot[plane], haze), self.sun.colour[plane], halo * 0.22)
                };
                let mut value = match ground {
                    Some(index) => land(index),
                    None => {
                        let disc = ((0.0030 - distance) * 4000.0).clamp(0.0, 1.0);
                        mix(sky, self.sun.colour[plane], halo.max(disc))
                    }
                };
                for (index, crest) in crests.iter().enumerate().skip(ground.map_or(0, |index| index + 1)) {
                    let cover = (v - crest) * height;
                    if cover > 0.0 {
                        value = mix(value, land(index), cover.min(1.0));
                    }
                }
                values.push(value);
            }
        }
        values
    }

    fn crests(&self, moment: f32, u: f32) -> [f32; HILLS] {
        let turn = TAU * moment;
        std::array::from_fn(|index| {
            let hill = &self.hills[index];
            let waves = hill.waves.iter().map(|wave| {
                let phase = wave.phase + wave.sway * (turn + wave.lag).sin();
                wave.amplitude * (TAU * wave.cycles * u + phase).sin()
            });
            hill.line + waves.sum::<f32>()
        })
    }

    fn add_lights(&self, moment: f32, plane: usize, values: &mut [f32], width: usize, height: usize) {
        let aspect = self.canvas.width as f32 / self.canvas.height as f32;
        let turn = TAU * moment;
        for light in &self.lights {
            let (x, y) = (
                light.x + light.drift * (turn + light.phase).cos(),
                light.y + light.drift * (turn + light.phase).sin(),
            );
            let strength = light.strength * (0.65 + 0.35 * (turn + 2.0 * light.phase).sin());
            let span = |middle: f32, radius: f32, size: usize| {
                let at = |value: f32| (value * size as f32).clamp(0.0, size as f32) as usize;
                at(middle - radius)..at(middle + radius)
            };
            for row in span(y, light.radius, height) {
                let dy = ((row as f32 + 0.5) / height as f32 - y) / light.radius;
                for column in span(x, light.radius / aspect, width) {
                    let dx = ((column as f32 + 0.5) / width as f32 - x) * aspect / light.radius;
                    let inside = (1.0 - dx * dx - dy * dy).max(0.0);
                    let value = &mut values[row * width + column];
                    *value = mix(*value, self.sun.colour[plane], strength * inside * inside);
                }
            }
        }
    }
}

fn mix(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// 0 to 1 without corners.
fn smooth(t: f32) -> f32 {
    let t = t.clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Hue, saturation and value, 0 to 1, in BT.709 limited range.
fn palette(hue: f32, saturation: f32, value: f32) -> Yuv {
    let channel = |offset: f32| {
        let k = (offset + hue.rem_euclid(1.0) * 6.0) % 6.0;
        value - value * saturation * k.min(4.0 - k).clamp(0.0, 1.0)
    };
    let (r, g, b) = (channel(5.0), channel(3.0), channel(1.0));
    let grey = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    [16.0 + 219.0 * grey, 128.0 + 224.0 * (b - grey) / 1.8556, 128.0 + 224.0 * (r - grey) / 1.5748]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_where_it_began_and_moves_in_between() {
        let landscape = Landscape::new(Canvas { width: 64, height: 36 }, 7);
        let pictures = [0.0, 0.5, 1.0].map(|moment| landscape.draw(moment).data(0).to_vec());
        let most = |other: &[u8]| pictures[0].iter().zip(other).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(most(&pictures[2]) <= 1);
        assert!(most(&pictures[1]) > 10);
        let other = Landscape::new(Canvas { width: 64, height: 36 }, 8).draw(0.0).data(0).to_vec();
        assert!(most(&other) > 10);
    }
}
