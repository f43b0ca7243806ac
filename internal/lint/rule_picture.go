package lint

import (
	"encoding/binary"
	"fmt"
	"path"
	"strings"

	"satchel/internal/term"
	"satchel/mcpb/manifest"
)

// The sizes of pictures, in pixels and bytes.
const (
	minIcon, maxIcon             = 64, 1024
	minScreenshot, maxScreenshot = 320, 8192
	maxIconBytes                 = 1 << 20
	maxScreenshotBytes           = 5 << 20
)

func pictureRules() []Rule {
	return []Rule{
		{
			ID: "lint/icon", Title: "An icon of the wrong size",
			Why: "Hosts show icons as squares, at sizes from a list's to a page's. Others are stretched, cut or blurred; the specification asks for 512x512. " +
				"That the picture is there and a PNG is satchel validate's.",
			Fix:    "save it as a square PNG of 512 x 512 pixels; under icons, of the size that is said there",
			Bad:    "icon.png of 300 x 200 pixels",
			Good:   "icon.png of 512 x 512 pixels",
			Source: mcpbSource, Author: Warning, Reviewer: Warning, check: checkIcons,
		},
		{
			ID: "lint/screenshot", Title: "A screenshot that cannot be shown",
			Why:    "Directories show screenshots on the extension's page. One that is no PNG, tiny or huge is left out or spoils it.",
			Fix:    "save it as a PNG of some 1200 to 2400 pixels in width",
			Bad:    `"screenshots": ["shot.bmp"]`,
			Good:   `"screenshots": ["shot.png"]  // 1600 x 1000 pixels`,
			Source: mcpbSource, Author: Warning, Reviewer: Warning, check: checkScreenshots,
		},
	}
}

// A picture is what the header of a PNG says.
type picture struct{ width, height uint32 }

// readPicture reads the IHDR of a PNG (PNG specification, 11.2.1); nil for anything else.
func readPicture(head []byte) *picture {
	if len(head) < 24 || string(head[:8]) != "\x89PNG\r\n\x1a\n" || string(head[12:16]) != "IHDR" {
		return nil
	}
	return &picture{binary.BigEndian.Uint32(head[16:]), binary.BigEndian.Uint32(head[20:])}
}

// pictureFile finds the file that a value of the manifest names.
func (r *run) pictureFile(v manifest.Value) *file {
	return r.tree.byName[path.Clean(v.Text)]
}

func checkIcons(c *check) {
	if v, ok := c.outline.Find("icon"); ok && v.IsText {
		if f := c.pictureFile(v); f != nil && f.image != nil {
			if why := badIcon(f); why != "" {
				c.add(c.atText(v, "%s %s", quote(v.Text), why))
			}
		}
	}
	for i, icon := range c.manifest.Icons {
		v, ok := c.outline.Find("icons", i, "src")
		f := c.pictureFile(v)
		if !ok || f == nil || f.image == nil {
			continue
		}
		switch size := fmt.Sprintf("%dx%d", f.image.width, f.image.height); {
		case size != icon.Size:
			c.add(c.at([]any{"icons", i, "size"}, "is %s, but the picture has %s", quote(icon.Size), size))
		case f.image.width != f.image.height:
			c.add(c.atText(v, "%s is not square: %s", quote(v.Text), size))
		case f.size > maxIconBytes:
			c.add(c.atText(v, "%s has %s", quote(v.Text), term.Bytes(f.size)))
		}
	}
}

func badIcon(f *file) string {
	w, h := f.image.width, f.image.height
	switch {
	case w != h:
		return fmt.Sprintf("is not square: %d x %d pixels", w, h)
	case w < minIcon || w > maxIcon:
		return fmt.Sprintf("has %d x %d pixels; hosts show %d to %d", w, h, minIcon, maxIcon)
	case f.size > maxIconBytes:
		return "has " + term.Bytes(f.size)
	}
	return ""
}

func checkScreenshots(c *check) {
	for v := range c.outline.Texts("screenshots") {
		f := c.pictureFile(v)
		if f == nil || strings.Contains(v.Text, "://") {
			continue // validate says that it is not there
		}
		switch {
		case f.image == nil:
			c.add(c.atText(v, "%s is no PNG", quote(v.Text)))
		case min(f.image.width, f.image.height) < minScreenshot || max(f.image.width, f.image.height) > maxScreenshot:
			c.add(c.atText(v, "%s has %d x %d pixels", quote(v.Text), f.image.width, f.image.height))
		case f.size > maxScreenshotBytes:
			c.add(c.atText(v, "%s has %s", quote(v.Text), term.Bytes(f.size)))
		}
	}
}
