// Package reports writes what a run came to: results.json (every metric),
// series.csv (metrics over simulated time), blockmap.csv, manifest.json (what
// made the run, so that it can be made again), a summary table, and pictures; and
// the free space and files in the forms of e2freefrag and filefrag.
//
// # Files
//
// WriteDir makes a directory of them appear at once. Where the directory exists
// it replaces files of its own only; the manifest goes first and comes last, so
// that a directory with a manifest is whole. Load reads them back: files made of a
// stored run are those made of the run itself, byte for byte.
//
// # Pictures
//
// A picture is 16 x 9 cm for a paper, or of a slide's shape with larger letters
// (Size). Legends stand above the data. Colours are those of Okabe and Ito, which
// colour-blind people can tell apart, and lines differ in their dashes too. Where
// there is nothing to show the picture says so. What made the run is in the PNG's
// tEXt chunks. The same run gives the same bytes.
//
// # Page
//
// report.html (Page) is one file that fetches nothing: verdicts, metrics, charts
// over simulated time that zoom in step, the block map and histograms at a moment
// that a slider chooses, what made the run; several runs beside each other; a study
// (Study, which package study fills). Its data is JSON within it, to six digits, and
// static/*.js draws it; uPlot, in static/uplot, draws the charts over time. Every
// plot has a sentence that is computed from the run (page_words.go). make browser
// opens pages in Chromium and looks at, zooms and scrubs them.
//
// # Units
//
// Times in files are seconds of simulated time in CSV and nanoseconds in JSON.
//
// Not here: statistics over several runs. Read next: metrics, where the figures
// come from; study, what a Study is made of; kerneltext/procfs, the kernel's own
// formats.
package reports
