package lint

import (
	"net/url"
	"path"
)

// The parts of SARIF 2.1.0 (OASIS) that are written: what code-scanning services read.
type (
	// A SARIF is a log of one run.
	SARIF struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Columns string        `json:"columnKind"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"semanticVersion,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID      string      `json:"id"`
		Short   sarifText   `json:"shortDescription"`
		Full    sarifText   `json:"fullDescription"`
		Help    sarifText   `json:"help"`
		Default sarifConfig `json:"defaultConfiguration"`
	}
	sarifConfig struct {
		Enabled bool   `json:"enabled"`
		Level   string `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		Rule         string             `json:"ruleId"`
		Index        int                `json:"ruleIndex"`
		Level        string             `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		Line   int `json:"startLine"`
		Column int `json:"startColumn,omitempty"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Justification string `json:"justification"`
	}
)

// A Place says how a report's files are named in a SARIF log.
type Place struct {
	Dir     string // slash-separated path of the folder, relative to where the log is read
	Archive string // the same of a bundle: its files have no address, so their names are logical locations
}

// ToSARIF makes the log of a report; version is the program's, a semantic version or "".
func (r *Report) ToSARIF(version string, at Place) SARIF {
	driver := sarifDriver{Name: "satchel lint", Version: version, Rules: []sarifRule{}}
	index := map[string]int{}
	for i, rule := range Rules() {
		index[rule.ID] = i
		severity := rule.Severity(r.Profile)
		driver.Rules = append(driver.Rules, sarifRule{
			ID: rule.ID, Short: sarifText{rule.Title}, Full: sarifText{rule.Why}, Help: sarifText{"Fix: " + rule.Fix + ".\nFrom: " + rule.Source},
			Default: sarifConfig{severity != Off, level(severity)},
		})
	}
	run := sarifRun{Tool: sarifTool{driver}, Columns: "unicodeCodePoints", Results: []sarifResult{}}
	for _, f := range r.Findings {
		result := sarifResult{Rule: f.Rule, Index: index[f.Rule], Level: level(f.Severity), Message: sarifText{f.Text()}, Locations: []sarifLocation{at.location(f)}}
		if f.Silenced != "" {
			result.Suppressions = []sarifSuppression{{"inSource", f.Silenced}}
		}
		run.Results = append(run.Results, result)
	}
	return SARIF{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}}
}

func level(s Severity) string {
	switch s {
	case Hint:
		return "note"
	case Off:
		return "none"
	}
	return string(s)
}

// location: what the server serves is about the manifest, which declares it.
func (p Place) location(f Finding) (l sarifLocation) {
	name := f.File
	if name == "" {
		name = manifestName
		l.Logical = append(l.Logical, sarifLogical{f.Path})
	}
	if p.Archive != "" {
		l.Physical.Artifact.URI = relativeURI(p.Archive)
		l.Logical = append(l.Logical, sarifLogical{name})
		return l
	}
	l.Physical.Artifact.URI = relativeURI(path.Join(p.Dir, name))
	if f.Line > 0 {
		l.Physical.Region = &sarifRegion{f.Line, f.Column}
	}
	return l
}

// relativeURI escapes a path. One whose first part has a colon would be read as a scheme (RFC 3986, 4.2).
func relativeURI(name string) string { return (&url.URL{Path: name}).String() }
