package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mbsim/reports"
)

// The flags that several commands have: each is spelled, described and completed in one way.

// Values of --format.
const (
	formatText     = "text"
	formatMarkdown = "markdown"
	formatJSON     = "json"
)

// addFormat adds the flag --format, which takes one of the formats; the first is the default.
func addFormat(c *cobra.Command, p *string, formats ...string) {
	c.Flags().StringVar(p, "format", formats[0], "`format` of what is printed: "+strings.Join(formats, ", "))
	completeFixed(c, "format", formats...)
	// Scripts that were written before --format was the only spelling keep working.
	for _, old := range []string{formatJSON, formatMarkdown} {
		if slices.Contains(formats, old) {
			c.Flags().BoolFunc(old, "as --format "+old, func(string) error { *p = old; return nil })
			_ = c.Flags().MarkHidden(old) // it fails only for a flag that is not there
		}
	}
}

// checkFormat refuses a --format that is none of the formats.
func checkFormat(format string, formats ...string) error {
	if !slices.Contains(formats, format) {
		return usagef("unknown format %q: want one of %s", format, strings.Join(formats, ", "))
	}
	return nil
}

// The formats of pictures, as --format names them.
const (
	formatPNG = "png"
	formatSVG = "svg"
)

// pictureFormats are the values of --format where it says what pictures are written as.
var pictureFormats = []string{formatPNG, formatSVG}

// addPictures adds the flag --format to a command that writes pictures.
func addPictures(c *cobra.Command, p *string) {
	c.Flags().StringVar(p, "format", formatPNG, "`format` of pictures: png, or svg for both PNGs and SVGs")
	completeFixed(c, "format", pictureFormats...)
}

// pictureFiles are the formats that pictures are written in. PNGs are always written: other programs
// look for them.
func pictureFiles(format string) []reports.FileFormat {
	if format == formatSVG {
		return []reports.FileFormat{reports.PNG, reports.SVG}
	}
	return []reports.FileFormat{reports.PNG}
}

// addOut adds the flag --out, the folder that a command writes into. without is what it is if nobody
// says, or that it must be given.
func addOut(c *cobra.Command, p *string, without string) {
	c.Flags().StringVarP(p, "out", "o", "", "output `folder` ("+without+")")
	completeFolder(c, "out")
}

// addKernel adds the flag --kernel. what says what it decides.
func addKernel(c *cobra.Command, p *string, def, what string) {
	c.Flags().StringVar(p, "kernel", def, what+": "+kernelNames()+orHost+"; 6.12^NAME is 6.12 without a change, 6.12+NAME with one (mbsim list changes)")
	completeKernelFlag(c, "kernel")
}
