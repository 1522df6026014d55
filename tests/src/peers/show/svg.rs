//! A drawing that can be read on light and dark pages (SVG 1.1; CSS asks the page's reader).

use std::fmt::Write as _;

use super::super::with::Name;

/// Text is black or white, as the page needs it; the colours of peers can be seen on both.
const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#1f2328}\
    .title{font-weight:600;font-size:15px}.faint{fill:#59636e;font-size:12px}.end{text-anchor:end}.middle{text-anchor:middle}\
    .grid{stroke:#d1d9e0}.span{stroke:#59636e;stroke-width:1.5}\
    @media(prefers-color-scheme:dark){text{fill:#f0f6fc}.faint{fill:#9198a1}.grid{stroke:#3d444d}.span{stroke:#9198a1}}";

/// What is drawn so far.
#[derive(Debug, Default)]
pub(super) struct Drawing(String);

impl Drawing {
    pub(super) fn text(&mut self, (x, y): (f64, f64), class: &str, text: &str) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        self.put(format_args!("<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{text}</text>"));
    }

    pub(super) fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), class: &str) {
        self.put(format_args!(
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" class=\"{class}\"/>"
        ));
    }

    pub(super) fn bar(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), colour: &str) {
        self.put(format_args!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"2\" fill=\"{colour}\"/>"
        ));
    }

    /// Points, joined.
    pub(super) fn path(&mut self, points: &[(f64, f64)], colour: &str) {
        let all: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let all = all.join(" ");
        self.put(format_args!(
            "<polyline points=\"{all}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>"
        ));
        for (x, y) in points {
            self.put(format_args!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"{colour}\"/>"));
        }
    }

    /// The whole file, for a picture of this size.
    pub(super) fn finish(self, width: f64, height: f64) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
             height=\"{height:.0}\">\n<style>{STYLE}</style>\n{}</svg>\n",
            self.0
        )
    }

    fn put(&mut self, element: std::fmt::Arguments) {
        writeln!(self.0, "{element}").expect("a string takes all");
    }
}

/// What a peer is drawn in when each has a line of its own.
pub(super) fn colour(peer: Name) -> &'static str {
    match peer {
        Name::Ours => "#3b82f6",
        Name::OursPlain => "#0d9488",
        Name::Rsync => "#ea7317",
        Name::RsyncSsh => "#dc4444",
        Name::Scp => "#9355e8",
        Name::VsftpdLftp => "#d6459c",
        Name::VsftpdCurl => "#8a9a1a",
        Name::Nginx => "#a0673a",
        Name::NginxTls => "#7a7f87",
    }
}
