//! From a decoded picture to the canvas: turn, tone map, crop, scale, in one libavfilter graph.
//!
//! The graph is built for one kind of picture and used until the kind changes. Output: planar YUV 4:2:0, 8 bits,
//! BT.709, limited range, with an alpha plane only where the source has one.

use ffmpeg::ffi;
use ffmpeg::util::color;
use ffmpeg_next as ffmpeg;
use storyboard::{Canvas, Fit};

use crate::frames::share;
use crate::track::{Decoded, Shape};

/// What a graph was built for.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Kind {
    width: u32,
    height: u32,
    format: ffmpeg::format::Pixel,
    shape: Shape,
    space: color::Space,
    range: color::Range,
    transfer: color::TransferCharacteristic,
}

impl Kind {
    fn of(decoded: &Decoded) -> Self {
        let frame = &decoded.frame;
        Self {
            width: frame.width(),
            height: frame.height(),
            format: frame.format(),
            shape: decoded.shape,
            space: frame.color_space(),
            range: frame.color_range(),
            transfer: frame.color_transfer_characteristic(),
        }
    }
}

/// Brings pictures of one source onto the canvas.
pub(crate) struct ToCanvas {
    canvas: Canvas,
    fit: Fit,
    graph: Option<(Kind, ffmpeg::filter::Graph)>,
}

impl ToCanvas {
    /// Nothing is built before the first picture.
    pub(crate) fn new(canvas: Canvas, fit: Fit) -> Self {
        Self { canvas, fit, graph: None }
    }

    /// The picture on the canvas.
    pub(crate) fn convert(&mut self, decoded: &Decoded) -> Result<ffmpeg::frame::Video, ffmpeg::Error> {
        let frame = &decoded.frame;
        let kind = Kind::of(decoded);
        if self.graph.as_ref().is_none_or(|(built, _)| *built != kind) {
            let source = source_arguments(&kind);
            self.graph = Some((kind, build(&source, &self.chain(&kind, decoded.shown_size()))?));
        }
        let (_, graph) = self.graph.as_mut().expect("just built");
        through(graph, frame)
    }

    fn chain(&self, kind: &Kind, shown: (u32, u32)) -> String {
        let mut steps = turn_steps(kind.shape);
        let hdr = is_hdr(kind.transfer);
        if hdr {
            steps.push(tone_map(kind));
        }
        let (stored_width, stored_height) =
            if kind.shape.turns % 2 == 1 { (kind.height, kind.width) } else { (kind.width, kind.height) };
        let Canvas { width, height } = self.canvas;
        let (cover, contain) = geometry((stored_width, stored_height), shown, (width, height));
        let matrix = if hdr { "bt709" } else { matrix_of(kind) };
        let scale = |w: u32, h: u32| {
            format!(
                "scale={w}:{h}:flags=bicubic:in_color_matrix={matrix}:out_color_matrix=bt709:out_range=tv"
            )
        };
        match self.fit {
            Fit::Cover => {
                let (w, h) = cover;
                if (w, h) != (stored_width, stored_height) {
                    steps.push(format!("crop={w}:{h}:(iw-ow)/2:(ih-oh)/2:exact=0"));
                }
                steps.push(scale(width, height));
            }
            Fit::Contain => {
                let (w, h) = contain;
                steps.push(scale(w, h));
                steps.push(format!("pad={width}:{height}:(ow-iw)/2:(oh-ih)/2:black"));
            }
        }
        let format = if has_alpha(kind.format) { "yuva420p" } else { "yuv420p" };
        steps.push(format!("setsar=1,format={format}"));
        steps.join(",")
    }
}

fn turn_steps(shape: Shape) -> Vec<String> {
    let mirror = shape.mirrored.then_some("hflip");
    let turn = match shape.turns {
        1 => Some("transpose=clock"),
        2 => Some("hflip,vflip"),
        3 => Some("transpose=cclock"),
        _ => None,
    };
    mirror.into_iter().chain(turn).map(str::to_owned).collect()
}

/// The part of the stored picture that covers the canvas, and the even size at which the whole fits inside it.
fn geometry(stored: (u32, u32), shown: (u32, u32), canvas: (u32, u32)) -> ((u32, u32), (u32, u32)) {
    let (sw, sh) = (f64::from(shown.0), f64::from(shown.1));
    let (cw, ch) = (f64::from(canvas.0), f64::from(canvas.1));
    let cover = (cw / sw).max(ch / sh);
    let contain = (cw / sw).min(ch / sh);
    let part = |canvas: f64, shown: f64, stored: u32| {
        let part = canvas / cover / shown * f64::from(stored);
        (part.round() as u32).clamp(1, stored)
    };
    let even = |size: f64, most: u32| (((size / 2.0).round() as u32) * 2).clamp(2, most);
    let covered = (part(cw, sw, stored.0), part(ch, sh, stored.1));
    (covered, (even(sw * contain, canvas.0), even(sh * contain, canvas.1)))
}

/// The colour matrix as swscale names it. What says nothing is taken by its size, as players do.
fn matrix_of(kind: &Kind) -> &'static str {
    match kind.space {
        color::Space::BT709 => "bt709",
        color::Space::BT470BG | color::Space::SMPTE170M => "smpte170m",
        color::Space::SMPTE240M => "smpte240m",
        color::Space::FCC => "fcc",
        color::Space::BT2020NCL | color::Space::BT2020CL => "bt2020",
        // JPEG without a word is BT.601 by its own standard (JFIF), whatever its size.
        _ if is_jpeg_range(kind) => "smpte170m",
        _ if kind.height >= 720 || kind.width >= 1280 => "bt709",
        _ => "smpte170m",
    }
}

fn is_jpeg_range(kind: &Kind) -> bool {
    use ffmpeg::format::Pixel;
    kind.range == color::Range::JPEG
        || matches!(kind.format, Pixel::YUVJ420P | Pixel::YUVJ422P | Pixel::YUVJ444P | Pixel::YUVJ440P)
}

fn is_hdr(transfer: color::TransferCharacteristic) -> bool {
    matches!(transfer, color::TransferCharacteristic::SMPTE2084 | color::TransferCharacteristic::ARIB_STD_B67)
}

/// HDR to SDR: linear light, BT.709 primaries, Hable's curve, BT.709 again.
fn tone_map(kind: &Kind) -> String {
    let transfer = match kind.transfer {
        color::TransferCharacteristic::ARIB_STD_B67 => "arib-std-b67",
        _ => "smpte2084",
    };
    format!(
        "zscale=tin={transfer}:min=bt2020nc:pin=bt2020:t=linear:npl=203,format=gbrpf32le,\
         zscale=p=bt709,tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv,format=yuv420p"
    )
}

#[expect(unsafe_code, reason = "pixel format descriptors are static tables of libavutil")]
fn has_alpha(format: ffmpeg::format::Pixel) -> bool {
    unsafe {
        let descriptor = ffi::av_pix_fmt_desc_get(format.into());
        !descriptor.is_null() && (*descriptor).flags & u64::from(ffi::AV_PIX_FMT_FLAG_ALPHA as u32) != 0
    }
}

fn source_arguments(kind: &Kind) -> String {
    let format = ffi::AVPixelFormat::from(kind.format) as i32;
    format!("video_size={}x{}:pix_fmt={format}:time_base=1/1000:pixel_aspect=1/1", kind.width, kind.height)
}

fn build(source: &str, chain: &str) -> Result<ffmpeg::filter::Graph, ffmpeg::Error> {
    let mut graph = ffmpeg::filter::Graph::new();
    #[expect(
        unsafe_code,
        reason = "the graph was just made; one thread keeps the result the same everywhere"
    )]
    unsafe {
        (*graph.as_mut_ptr()).nb_threads = 1;
    }
    let find = |name: &str| ffmpeg::filter::find(name).ok_or(ffmpeg::Error::FilterNotFound);
    graph.add(&find("buffer")?, "in", source)?;
    graph.add(&find("buffersink")?, "out", "")?;
    graph.output("in", 0)?.input("out", 0)?.parse(chain)?;
    graph.validate()?;
    Ok(graph)
}

/// One picture in, one picture out.
fn through(
    graph: &mut ffmpeg::filter::Graph,
    frame: &ffmpeg::frame::Video,
) -> Result<ffmpeg::frame::Video, ffmpeg::Error> {
    // The graph takes the reference that it is given.
    let mut input = share(frame)?;
    input.set_pts(Some(0));
    graph.get("in").ok_or(ffmpeg::Error::FilterNotFound)?.source().add(&input)?;
    let mut out = ffmpeg::frame::Video::empty();
    graph.get("out").ok_or(ffmpeg::Error::FilterNotFound)?.sink().frame(&mut out)?;
    Ok(out)
}

/// A canvas picture as a full-range JPEG picture.
pub(crate) fn to_jpeg_range(frame: &ffmpeg::frame::Video) -> Result<ffmpeg::frame::Video, ffmpeg::Error> {
    from_canvas(frame, "out_color_matrix=smpte170m:out_range=pc", "yuvj420p")
}

/// A canvas picture as WebP wants it: BT.601, limited range.
pub(crate) fn to_webp_range(frame: &ffmpeg::frame::Video) -> Result<ffmpeg::frame::Video, ffmpeg::Error> {
    from_canvas(frame, "out_color_matrix=smpte170m:out_range=tv", "yuv420p")
}

/// A canvas picture as RGB. Rounding to the last bit would take nine times as long (21 ms of 1920 x 1080), which
/// somebody waits for.
pub(crate) fn to_rgb(frame: &ffmpeg::frame::Video) -> Result<ffmpeg::frame::Video, ffmpeg::Error> {
    from_canvas(frame, "flags=bicubic", "rgb24")
}

fn from_canvas(
    frame: &ffmpeg::frame::Video,
    target: &str,
    format: &str,
) -> Result<ffmpeg::frame::Video, ffmpeg::Error> {
    let source = format!(
        "video_size={}x{}:pix_fmt={}:time_base=1/1000:pixel_aspect=1/1",
        frame.width(),
        frame.height(),
        ffi::AVPixelFormat::from(frame.format()) as i32
    );
    let chain = format!("scale=in_color_matrix=bt709:in_range=tv:{target},format={format}");
    through(&mut build(&source, &chain)?, frame)
}

/// A picture at a size of its own, turned as it is shown, as premultiplied RGBA rows without padding.
pub(crate) fn to_rgba(decoded: &Decoded, width: u32, height: u32) -> Result<Vec<u8>, ffmpeg::Error> {
    let frame = &decoded.frame;
    let kind = Kind::of(decoded);
    let mut steps = turn_steps(kind.shape);
    steps.push(format!("scale={width}:{height}:flags=bicubic:in_color_matrix={}", matrix_of(&kind)));
    steps.push("format=rgba".to_owned());
    let out = through(&mut build(&source_arguments(&kind), &steps.join(","))?, frame)?;
    let row = width as usize * 4;
    let stride = out.stride(0);
    let mut rgba: Vec<u8> =
        out.data(0).chunks(stride).take(height as usize).flat_map(|line| line[..row].to_vec()).collect();
    for pixel in rgba.chunks_exact_mut(4) {
        let alpha = u16::from(pixel[3]);
        for channel in &mut pixel[..3] {
            *channel = ((u16::from(*channel) * alpha + 127) / 255) as u8;
        }
    }
    Ok(rgba)
}

#[cfg(test)]
mod tests {
    use super::geometry;

    #[test]
    fn cover_crops_the_longer_side_and_contain_keeps_all() {
        assert_eq!(geometry((1920, 1080), (1920, 1080), (1920, 1080)), ((1920, 1080), (1920, 1080)));
        // Portrait on landscape: the full width, a strip of the height.
        assert_eq!(geometry((1080, 1920), (1080, 1920), (1920, 1080)), ((1080, 608), (608, 1080)));
        // Anamorphic: 720 stored columns are shown as 1024.
        assert_eq!(geometry((720, 576), (1024, 576), (1920, 1080)).0, (720, 576));
        // Odd sizes never vanish.
        assert_eq!(geometry((1, 1), (1, 1), (1920, 1080)), ((1, 1), (1080, 1080)));
    }
}
