// The script of every page: Tabler's behaviours (dropdowns, collapsing menu) and htmx's swaps.
import "@tabler/core";
import "htmx.org";
import "./app.css";
