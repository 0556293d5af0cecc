package reports

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// browser is a headless Chromium, driven through chromedriver's HTTP (W3C
// WebDriver, and the DevTools commands that chromedriver passes on).
type browser struct {
	t    *testing.T
	base string // of the session
}

var startedOn = regexp.MustCompile(`successfully on port (\d+)`)

// newBrowser starts one. The test is skipped where Chromium is not installed, and
// where nobody asked for it: it takes some seconds.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	if os.Getenv("BROWSER") == "" {
		t.Skip("starts Chromium: set BROWSER=1, or make browser")
	}
	driver, err := exec.LookPath("chromedriver")
	if err != nil {
		t.Skip("chromedriver is not installed (Debian: chromium chromium-driver)")
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := exec.CommandContext(ctx, driver, "--port=0")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t}
	t.Cleanup(func() {
		if b.base != "" {
			b.call("DELETE", "", nil)
		}
		cancel()
		c.Wait() // it was killed: the error says so
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := startedOn.FindStringSubmatch(lines.Text()); m != nil {
			b.base = "http://127.0.0.1:" + m[1] + "/session"
			break
		}
	}
	if b.base == "" {
		t.Fatal("chromedriver did not start")
	}
	go io.Copy(io.Discard, out)
	root := b.base
	args := []string{"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--user-data-dir=" + t.TempDir()}
	var s struct{ SessionID string }
	b.into(&s, "POST", "", map[string]any{"capabilities": map[string]any{"alwaysMatch": map[string]any{
		"browserName": "chrome", "goog:chromeOptions": map[string]any{"args": args},
		"goog:loggingPrefs": map[string]string{"browser": "ALL", "performance": "ALL"},
	}}})
	b.base = root + "/" + s.SessionID
	b.call("POST", "/url", map[string]string{"url": "about:blank"})
	b.fetched() // what Chromium's own first page asked for
	b.console()
	return b
}

// call sends a command and returns its value.
func (b *browser) call(method, path string, body any) json.RawMessage {
	b.t.Helper()
	raw := []byte("{}")
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			b.t.Fatal(err)
		}
	}
	req, err := http.NewRequest(method, b.base+path, bytes.NewReader(raw))
	if err != nil {
		b.t.Fatal(err)
	}
	client := http.Client{Timeout: time.Minute}
	res, err := client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct{ Value json.RawMessage }
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		b.t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		b.t.Fatalf("%s %s: %.600s", method, path, answer.Value)
	}
	return answer.Value
}

func (b *browser) into(v any, method, path string, body any) {
	b.t.Helper()
	raw := b.call(method, path, body)
	if err := json.Unmarshal(raw, v); err != nil {
		b.t.Fatalf("%s: %v: %.300s", path, err, raw)
	}
}

// run runs a script, which returns something that becomes v.
func (b *browser) run(v any, script string) {
	b.t.Helper()
	b.into(v, "POST", "/execute/sync", map[string]any{"script": script, "args": []any{}})
}

func (b *browser) number(script string) (v float64) {
	b.t.Helper()
	b.run(&v, "return "+script)
	return v
}

func (b *browser) text(script string) (v string) {
	b.t.Helper()
	b.run(&v, "return String("+script+")")
	return v
}

// devtools performs a command of Chromium's own protocol.
func (b *browser) devtools(cmd string, params map[string]any) json.RawMessage {
	b.t.Helper()
	return b.call("POST", "/goog/cdp/execute", map[string]any{"cmd": cmd, "params": params})
}

// window sets the size of the page, and which colours the system asks for.
func (b *browser) window(width, height int, scheme string) {
	b.t.Helper()
	b.devtools("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
	b.devtools("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}})
}

// open opens a file and waits until its script has run.
func (b *browser) open(path string) {
	b.t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		b.t.Fatal(err)
	}
	b.call("POST", "/url", map[string]string{"url": "file://" + abs})
	b.wait("the page's script did not come to its end", `document.documentElement.dataset.ready === "true"`)
	b.settle()
}

// settle waits until what is to be drawn is drawn.
func (b *browser) settle() {
	b.t.Helper()
	b.call("POST", "/execute/async", map[string]any{"args": []any{},
		"script": `const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(0), 30)))`})
}

// wait waits until an expression is true.
func (b *browser) wait(what, expression string) {
	b.t.Helper()
	for range 200 {
		var ok bool
		if b.run(&ok, "return !!("+expression+")"); ok {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	b.t.Fatalf("%s: %s\n%s", what, expression, strings.Join(b.console(), "\n"))
}

type entry struct{ Level, Message string }

func (b *browser) log(kind string) (entries []entry) {
	b.t.Helper()
	b.into(&entries, "POST", "/se/log", map[string]string{"type": kind})
	return entries
}

// console is what the page has complained of.
func (b *browser) console() (out []string) {
	b.t.Helper()
	for _, e := range b.log("browser") {
		out = append(out, e.Level+": "+e.Message)
	}
	return out
}

// fetched are the addresses that the page asked for, since it was last asked.
func (b *browser) fetched() (urls []string) {
	b.t.Helper()
	for _, e := range b.log("performance") {
		var m struct {
			Message struct {
				Method string
				Params struct{ Request struct{ URL string } }
			}
		}
		if err := json.Unmarshal([]byte(e.Message), &m); err != nil {
			b.t.Fatal(err)
		}
		if m.Message.Method == "Network.requestWillBeSent" {
			urls = append(urls, m.Message.Params.Request.URL)
		}
	}
	return urls
}

// point is a place in the window.
type point struct{ x, y float64 }

// at is a place within an element: shares of its width and height. The element
// is brought into the middle of the window first.
func (b *browser) at(selector string, shares ...point) (out []point) {
	b.t.Helper()
	var r struct{ X, Y, W, H float64 }
	b.run(&r, fmt.Sprintf(`const e = document.querySelector(%q); e.scrollIntoView({block: "center", behavior: "instant"});
		const r = e.getBoundingClientRect(); return {x: r.left, y: r.top, w: r.width, h: r.height}`, selector))
	for _, s := range shares {
		out = append(out, point{r.X + s.x*r.W, r.Y + s.y*r.H})
	}
	return out
}

// drag presses the button at the first place and releases it at the last.
func (b *browser) drag(places ...point) {
	b.t.Helper()
	move := func(p point) map[string]any {
		return map[string]any{"type": "pointerMove", "duration": 20, "x": int(p.x), "y": int(p.y)}
	}
	actions := []map[string]any{move(places[0]), {"type": "pointerDown", "button": 0}}
	for _, p := range places[1:] {
		actions = append(actions, move(p))
	}
	b.pointer(append(actions, map[string]any{"type": "pointerUp", "button": 0})...)
}

// click clicks so many times at a place.
func (b *browser) click(p point, times int) {
	b.t.Helper()
	actions := []map[string]any{{"type": "pointerMove", "duration": 20, "x": int(p.x), "y": int(p.y)}}
	for range times {
		actions = append(actions, map[string]any{"type": "pointerDown", "button": 0}, map[string]any{"type": "pointerUp", "button": 0})
	}
	b.pointer(actions...)
}

func (b *browser) hover(p point) {
	b.t.Helper()
	b.pointer(map[string]any{"type": "pointerMove", "duration": 20, "x": int(p.x), "y": int(p.y)})
}

func (b *browser) pointer(actions ...map[string]any) {
	b.t.Helper()
	b.call("POST", "/actions", map[string]any{"actions": []any{map[string]any{
		"type": "pointer", "id": "mouse", "parameters": map[string]string{"pointerType": "mouse"}, "actions": actions,
	}}})
	b.settle()
}

// press presses keys one after the other on an element.
func (b *browser) press(selector string, keys ...string) {
	b.t.Helper()
	b.run(new(any), fmt.Sprintf("document.querySelector(%q).focus()", selector))
	var actions []map[string]string
	for _, k := range keys {
		actions = append(actions, map[string]string{"type": "keyDown", "value": k}, map[string]string{"type": "keyUp", "value": k})
	}
	b.call("POST", "/actions", map[string]any{"actions": []any{map[string]any{"type": "key", "id": "keys", "actions": actions}}})
	b.settle()
}

// picture writes a picture of the whole page to the folder that PICTURES names,
// to be looked at.
func (b *browser) picture(name string) {
	b.t.Helper()
	dir := os.Getenv("PICTURES")
	if dir == "" {
		return
	}
	var shot struct{ Data string }
	if err := json.Unmarshal(b.devtools("Page.captureScreenshot", map[string]any{"captureBeyondViewport": true, "format": "png"}), &shot); err != nil {
		b.t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(shot.Data)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), raw, 0o666)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// print makes a PDF of the page, in the folder that PICTURES names.
func (b *browser) print(name string) {
	b.t.Helper()
	var pdf struct{ Data string }
	if err := json.Unmarshal(b.devtools("Page.printToPDF", map[string]any{"printBackground": true, "paperWidth": 8.27, "paperHeight": 11.69}), &pdf); err != nil {
		b.t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(pdf.Data)
	if err != nil || !bytes.HasPrefix(raw, []byte("%PDF")) {
		b.t.Fatalf("printing: %v", err)
	}
	if dir := os.Getenv("PICTURES"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".pdf"), raw, 0o666); err != nil {
			b.t.Fatal(err)
		}
	}
}
