//! The HTML page in a real browser. Not run where there is none.

use std::time::Duration;

use conccheck_tests::{Browser, HandMade, run};

const LIMIT: Duration = Duration::from_secs(60);

/// Two locks in both orders, a third one below, a channel; in a folder with a name that must be escaped.
const TRACE: &str = "\
object a mutex @src/m.rs:1 A
object b mutex @src/m.rs:2 B
object c mutex @src/m.rs:3 C<script>
main channel q; main spawn t1 @src/m.rs:5; main spawn t2 @src/m.rs:6
t1 lock a @src/m.rs:10; t1 lock b @src/m.rs:11 +1ms; t1 unlock b +1ms; t1 lock c @src/m.rs:12; t1 unlock c +1ms; t1 unlock a
t2 lock b @src/m.rs:20; t2 lock a @src/m.rs:21 +1ms; t2 unlock a +1ms; t2 unlock b
main send q; t1 recv q; main join t1; main join t2; main end";

#[test]
fn the_page_lights_cycles_and_works_without_the_network_under_its_own_policy() {
    let Some(browser) = Browser::start() else {
        println!("not run: no chromedriver (apt-get install chromium-driver)");
        return;
    };
    let project = HandMade::default();
    project.trace("run.json", TRACE);
    let ended =
        run(&mut project.conccheck(&["report", "run.json", "--format", "html=page.html", "--format", "json=found.json"]), LIMIT);
    let found: serde_json::Value =
        serde_json::from_str(&project.read("found.json")).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    let cycle = found["findings"].as_array().and_then(|all| all.iter().find(|finding| finding["rule"] == "lock-order-cycle"));
    let cycle = cycle.expect("a cycle")["fingerprint"].as_str().expect("a fingerprint").to_owned();
    let page = project.path("page.html");
    let open = "return [...document.querySelectorAll('main > section')].filter(s => !s.hidden).map(s => s.id).join()";
    let lit = "return [...document.querySelectorAll('.edge.lit')].map(e => e.dataset.from[6] + e.dataset.to[6]).sort().join()";

    // What a click leads to comes with an event of its own.
    let becomes = |script: &str, expected: &str, what: &str| {
        let shown = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let last = (0..500).map(|_| browser.eval(script)).find(|value| shown(value) == expected);
        assert!(last.is_some(), "{what}: {}", browser.eval(script));
    };

    browser.open(&page, "");
    assert_eq!(browser.eval(open), "findings");
    browser.click(&format!("article[id='{cycle}'] a[href^='#graph=']"));
    becomes(open, "graph", "a click on the finding's link");
    becomes(lit, "AB,BA", "its cycle is lit, and nothing else");
    browser.click("#tab-graph");
    becomes(lit, "", "the graph as a whole");
    browser.click(&format!("[data-cycle='{cycle}']"));
    becomes(lit, "AB,BA", "a click beside the graph");
    let details = browser.eval("return document.getElementById('graph-details').textContent");
    assert!(details.as_str().is_some_and(|text| text.contains("t1: holds since src/m.rs:10, takes at src/m.rs:11")), "{details}");
    let view = "return document.getElementById('lock-graph').getAttribute('viewBox')";
    let before = browser.eval(view);
    browser.click("[data-graph=in]");
    assert_ne!(browser.eval(view), before, "zoomed");

    for (key, part) in
        [("3", "timeline"), ("4", "locks"), ("5", "tasks"), ("6", "channels"), ("7", "checklist"), ("1", "findings")]
    {
        browser.press(key);
        becomes(open, part, "a key");
    }
    browser.press("j");
    becomes("return String(document.querySelectorAll('article.target').length)", "1", "the first finding");
    browser.open(&page, &format!("#timeline={cycle}"));
    let buttons = browser.eval("return document.querySelectorAll('#timeline-details button').length");
    assert_eq!(buttons, 4, "each side's two steps");
    let drawn = "const c = document.querySelector('#timeline-view canvas');
        return c.width > 300 && c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v !== 0)";
    assert_eq!(
        browser.eval(&format!(
            "return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done((() => {{ {drawn} }})()))))"
        )),
        true
    );
    // Many threads: the lanes are scrolled, and what is drawn is as high as what is seen of them.
    let threads: String =
        (1..=60).map(|n| format!("main spawn w{n} @src/m.rs:30; w{n} lock a; w{n} unlock a; w{n} end\n")).collect();
    project.trace("many.json", &threads);
    run(&mut project.conccheck(&["report", "many.json", "--format", "html=many.html"]), LIMIT);
    browser.open(&project.path("many.html"), "#timeline");
    let placed = "const view = document.getElementById('timeline-view'), canvas = view.querySelector('canvas');
        view.scrollTop = view.scrollHeight;
        const [a, b] = [view.getBoundingClientRect(), canvas.getBoundingClientRect()];
        return view.scrollTop > 0 && b.height > 100 && b.height <= a.height && Math.abs(b.top - a.top) <= 2";
    becomes(placed, "true", "the lanes that are seen");

    browser.open(&page, &format!("#{cycle}"));
    assert_eq!(browser.eval("return document.activeElement.id"), cycle.as_str(), "a deep link");
    assert_eq!(browser.complaints(), Vec::<String>::new(), "errors, or what the policy forbids");
}
