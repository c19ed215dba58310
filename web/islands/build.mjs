// Bundles every island: web/islands/<name>/index.js becomes <name>-<hash>.js (and .css, where it imports style) in
// web/static/dist, beside icons-<hash>.svg (one sprite of the icons listed in icons.txt), licences.txt (the notices of
// what was bundled) and manifest.json ("app.js" -> "app-XXXXXXXX.js"), which the pages' asset() reads. A file's name
// changes with its content, so browsers may keep it for ever. Beside each file that shrinks lies <file>.gz, which web/assets.py
// serves to browsers that take it: an eighth of the size, over the slow lines of small offices.
//
// The result is built aside and put in place when it is complete: a failed build leaves the last good one standing.

import { build } from "esbuild";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const ISLANDS = dirname(fileURLToPath(import.meta.url));
const ROOT = resolve(ISLANDS, "../..");
const TARGET = join(ROOT, "web/static/dist");
const ASIDE = join(ROOT, `web/static/.dist-${process.pid}`);
const MODULES = join(ROOT, "node_modules");

const manifest = {};

async function bundle() {
  const entryPoints = readdirSync(ISLANDS)
    .filter((name) => existsSync(join(ISLANDS, name, "index.js")))
    .map((name) => ({ in: join(ISLANDS, name, "index.js"), out: name }));
  const result = await build({
    absWorkingDir: ROOT,
    entryPoints,
    outdir: ASIDE,
    entryNames: "[name]-[hash]",
    assetNames: "assets/[name]-[hash]",
    bundle: true,
    minify: true,
    format: "iife",
    target: ["chrome100", "firefox100", "safari15"],
    charset: "utf8",
    // The notices go into licences.txt, whole and readable, rather than into every bundle.
    legalComments: "none",
    loader: { ".svg": "file", ".png": "file", ".woff": "file", ".woff2": "file", ".ttf": "file", ".eot": "file" },
    metafile: true,
    logLevel: "warning",
  });
  for (const file of Object.keys(result.metafile.outputs)) {
    const match = basename(file).match(/^(.+)-[A-Z0-9]{8}\.(js|css)$/);
    if (match && dirname(resolve(ROOT, file)) === ASIDE) manifest[`${match[1]}.${match[2]}`] = basename(file);
  }
  return Object.keys(result.metafile.inputs);
}

// One symbol per line of icons.txt: a Tabler icon's name (outline; "filled/<name>" for a filled one).
// <svg class="icon"><use href="…/icons-<hash>.svg#<name>"/></svg> shows it, without inline script or style.
function sprite() {
  const names = readFileSync(join(ISLANDS, "icons.txt"), "utf8")
    .split("\n")
    .map((line) => line.replace(/#.*/, "").trim())
    .filter(Boolean);
  const symbols = names.map((name) => {
    const path = name.includes("/") ? name : `outline/${name}`;
    const file = join(MODULES, "@tabler/icons/icons", `${path}.svg`);
    if (!existsSync(file)) throw new Error(`icons.txt: Tabler has no icon "${name}"`);
    const source = readFileSync(file, "utf8");
    const attributes = source.match(/<svg([^>]*)>/)[1].replace(/\s(xmlns|width|height|class)="[^"]*"/g, "");
    const inside = source.match(/<svg[^>]*>([\s\S]*)<\/svg>/)[1];
    return `<symbol id="${name.replace("/", "-")}"${attributes.replace(/\s+/g, " ").trimEnd()}>${inside.replace(/\n\s*/g, "")}</symbol>`;
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("\n")}</svg>\n`;
  const hash = createHash("sha256").update(svg).digest("hex").slice(0, 8).toUpperCase();
  manifest["icons.svg"] = `icons-${hash}.svg`;
  writeFileSync(join(ASIDE, manifest["icons.svg"]), svg);
}

// The licence of every package of which something was bundled: their terms ask that the notice travels with the copy.
function licences(inputs) {
  // Tabler's script carries Popper inside, and its icons come through the sprite: esbuild sees neither.
  const packages = new Set(["@popperjs/core", "@tabler/icons"]);
  for (const input of inputs) {
    const match = input.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//);
    if (match) packages.add(match[1]);
  }
  const sections = [...packages].sort().map((name) => {
    const folder = join(MODULES, name);
    const { version, license, author, homepage } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const maker = typeof author === "string" ? author : author?.name;
    const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
    const text = file ? readFileSync(join(folder, file), "utf8").trim() : `Copyright ${maker} (${homepage}); the package brings no licence file.`;
    return `${name} ${version}\nDeclared licence: ${license}\n\n${text}\n`;
  });
  writeFileSync(join(ASIDE, "licences.txt"), sections.join(`\n${"-".repeat(80)}\n\n`));
}

function compress() {
  for (const file of readdirSync(ASIDE)) {
    if (/\.(js|css|svg)$/.test(file)) writeFileSync(join(ASIDE, `${file}.gz`), gzipSync(readFileSync(join(ASIDE, file)), { level: 9 }));
  }
}

function putInPlace() {
  const old = `${ASIDE}-old`;
  if (existsSync(TARGET)) renameSync(TARGET, old);
  renameSync(ASIDE, TARGET);
  rmSync(old, { recursive: true, force: true });
}

try {
  rmSync(ASIDE, { recursive: true, force: true });
  mkdirSync(ASIDE, { recursive: true });
  const inputs = await bundle();
  sprite();
  licences(inputs);
  compress();
  writeFileSync(join(ASIDE, "manifest.json"), `${JSON.stringify(manifest, Object.keys(manifest).sort(), 2)}\n`);
  putInPlace();
  for (const name of Object.keys(manifest).sort()) {
    const [whole, sent] = ["", ".gz"].map((ending) => Math.round(statSync(join(TARGET, manifest[name] + ending)).size / 1024));
    console.log(`web/static/dist/${manifest[name]}  ${whole} KiB, compressed ${sent} KiB`);
  }
} catch (error) {
  rmSync(ASIDE, { recursive: true, force: true });
  // esbuild has said its own errors by now.
  if (!error.errors) console.error(error.message);
  process.exitCode = 1;
}
