//! Draws captions of every kind over a grey gradient, as PNG files to look at.
//!
//! `cargo run -p captions --example specimen -- DIRECTORY`

#![allow(clippy::print_stdout, reason = "what an example has to say goes to the terminal")]

use std::path::Path;

use captions::{Bitmap, Fonts, Typesetter};
use storyboard::{Canvas, Caption, Horizontal, Rgba, Run, TextStyle, Vertical};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = std::env::args().nth(1).ok_or("name a directory for the pictures")?;
    std::fs::create_dir_all(&directory)?;
    let typesetter = Typesetter::new(Fonts::standard()?);
    let (wide, small, tall) = (canvas(1920, 1080), canvas(1280, 720), canvas(1080, 1920));
    let seed = "Hello world! Good morning! Welcome and have a wonderful day ahead!";
    let long = "In 2026 Dr. Smith paid $9.99 for a coffee, which surprised nobody; prices had been rising for years, and \
                the machine in the corner was new. He sat down by the window. Outside, the rain fell on the harbour.";
    let plain = TextStyle::default();
    let bare = TextStyle { background: Rgba::new(0, 0, 0, 0), ..plain.clone() };
    let fancy = TextStyle {
        italic: true,
        underline: true,
        weight: 700,
        colour: Rgba::new(20, 20, 60, 255),
        background: Rgba::new(255, 255, 255, 210),
        keyword: Rgba::new(200, 30, 30, 255),
        vertical: Vertical::Top,
        horizontal: Horizontal::Left,
        ..plain.clone()
    };
    let cases: [(&str, &str, &str, &TextStyle, Canvas); 14] = [
        ("seed-1080", seed, "en", &plain, wide),
        ("seed-720", seed, "en", &plain, small),
        ("seed-tall", seed, "en", &plain, tall),
        ("long-1080", long, "en", &plain, wide),
        ("long-tall", long, "en", &plain, tall),
        ("keyword", "Make *every word* count, and do it with *style*", "en", &plain, wide),
        ("bare", "Text *without* a box stays readable \u{2764}\u{fe0f}", "en", &bare, wide),
        ("fancy", "Slanted, underlined *keywords* jiggle gently", "en", &fancy, wide),
        (
            "arabic",
            "مرحبا بالعالم! صباح الخير، نتمنى لكم يوما رائعا في عام 2026 (API v2).",
            "ar",
            &plain,
            wide,
        ),
        ("hebrew", "שלום עולם! בוקר טוב (API v2), שיהיה לכם יום נפלא.", "he", &plain, wide),
        ("hindi", "नमस्ते दुनिया! सुप्रभात, आपका दिन मंगलमय हो। क्षत्रिय श्री कृष्ण", "hi", &plain, wide),
        ("thai", "สวัสดีชาวโลก ยินดีต้อนรับสู่รายการของเรา ขอให้วันนี้เป็นวันที่ดีที่สุดของคุณ ที่นี่มีทุกอย่าง", "th", &plain, wide),
        (
            "japanese",
            "世界の皆さん、おはようございます！ようこそ、今日も素晴らしい一日をお過ごしください。直骨",
            "ja",
            &plain,
            wide,
        ),
        (
            "emoji",
            "Hi \u{1f44b}\u{1f3fd} \u{2764}\u{fe0f} \u{1f1e7}\u{1f1f7} \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} 1\u{fe0f}\u{20e3} 直骨 \
             \u{1f600} \u{fdd0}",
            "zh",
            &plain,
            wide,
        ),
    ];
    for (name, text, language, style, canvas) in cases {
        let runs = text
            .split('*')
            .enumerate()
            .map(|(index, text)| Run { text: text.to_owned(), keyword: index % 2 == 1 });
        let caption = Caption { runs: runs.collect(), language: language.to_owned() };
        let layout = typesetter.paginate(&caption, style, canvas);
        for warning in &layout.warnings {
            println!("{name}: {}: {}", warning.code, warning.message);
        }
        for (index, page) in layout.pages.iter().enumerate() {
            println!("{name} {index}: {:?}", page.text());
            let path = Path::new(&directory).join(format!("{name}-{index}.png"));
            write(&path, canvas, typesetter.raster(page, canvas).as_ref())?;
        }
    }
    Ok(())
}

fn canvas(width: u32, height: u32) -> Canvas {
    Canvas { width, height }
}

fn write(path: &Path, canvas: Canvas, bitmap: Option<&Bitmap>) -> Result<(), Box<dyn std::error::Error>> {
    let (width, height) = (canvas.width as usize, canvas.height as usize);
    let mut pixels = vec![0; width * height * 3];
    for (index, pixel) in pixels.chunks_exact_mut(3).enumerate() {
        pixel.fill((60 + index / width * 150 / height) as u8);
    }
    for (row, source) in bitmap.iter().flat_map(|b| b.pixels.chunks_exact(b.width as usize * 4).enumerate()) {
        let Some(bitmap) = bitmap else { continue };
        let start = ((bitmap.y as usize + row) * width + bitmap.x as usize) * 3;
        for (to, from) in pixels[start..].chunks_exact_mut(3).zip(source.chunks_exact(4)) {
            for channel in 0..3 {
                let under = u32::from(to[channel]) * (255 - u32::from(from[3])) / 255;
                to[channel] = (u32::from(from[channel]) + under).min(255) as u8;
            }
        }
    }
    let mut encoder =
        png::Encoder::new(std::io::BufWriter::new(std::fs::File::create(path)?), canvas.width, canvas.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header()?.write_image_data(&pixels)?;
    Ok(())
}
