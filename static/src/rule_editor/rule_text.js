import { Component, onMounted, onWillUnmount, useExternalListener, useRef, useState } from "@odoo/owl";
import { useDebounced } from "@web/core/utils/timing";

const COMPLETE_AFTER = 150;

/**
 * The tokens of an earlier text, moved so that they fit the present one: what stands before and after the change keeps
 * its colours until the server has read the new text.
 */
export function shiftTokens(tokens, before, after) {
    if (before === after) {
        return tokens;
    }
    const shorter = Math.min(before.length, after.length);
    let head = 0;
    while (head < shorter && before[head] === after[head]) {
        head++;
    }
    let tail = 0;
    while (tail < shorter - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) {
        tail++;
    }
    const moved = after.length - before.length;
    const end = before.length - tail;
    return tokens.flatMap(([from, to, kind]) => {
        if (to <= head) {
            return [[from, to, kind]];
        }
        if (from >= end) {
            return [[from + moved, to + moved, kind]];
        }
        // The token that is being typed in grows with what is typed.
        return from <= head && to >= end && to + moved > from ? [[from, to + moved, kind]] : [];
    });
}

/** The text cut into coloured pieces. */
export function pieces(text, tokens) {
    const found = [];
    let position = 0;
    for (const [from, to, kind] of tokens) {
        if (from > position) {
            found.push({ text: text.slice(position, from), kind: "" });
        }
        found.push({ text: text.slice(Math.max(from, position), to), kind });
        position = Math.max(position, to);
    }
    found.push({ text: text.slice(position) + "\n", kind: "" });
    return found;
}

/** A text area over its own coloured copy, with line numbers, marks for problems and a list of completions. */
export class RuleText extends Component {
    static template = "credit_insurance.RuleText";
    static props = { text: String, tokens: Array, problems: Array, readonly: Boolean, onInput: Function, complete: Function };

    setup() {
        this.area = useRef("area");
        this.copy = useRef("copy");
        this.numbers = useRef("numbers");
        this.frame = useRef("frame");
        this.popup = useState({ items: [], chosen: 0, top: 0, left: 0 });
        this.askCompletion = useDebounced(() => this.complete(), COMPLETE_AFTER);
        this.asked = 0;
        useExternalListener(window, "click", (ev) => {
            if (!ev.target.closest?.(".o_credit_completion")) {
                this.close();
            }
        });
        onMounted(() => this.syncHeight());
        onWillUnmount(() => this.close());
    }

    get pieces() {
        return pieces(this.props.text, this.props.tokens);
    }

    get lines() {
        const wrong = new Map();
        for (const { line, message, suggestion } of this.props.problems) {
            wrong.set(line, [wrong.get(line), message + (suggestion ? ` – ${suggestion}` : "")].filter(Boolean).join("\n"));
        }
        return this.props.text.split("\n").map((_text, index) => ({ number: index + 1, problem: wrong.get(index + 1) }));
    }

    syncHeight() {
        this.area.el.scrollTop = 0;
    }

    onInput(ev) {
        this.props.onInput(ev.target.value);
        this.askCompletion();
    }

    // Completion

    async complete() {
        const area = this.area.el;
        if (!area || this.props.readonly || document.activeElement !== area) {
            return;
        }
        const offset = area.selectionStart;
        const asked = ++this.asked;
        const items = await this.props.complete(area.value, offset);
        if (asked !== this.asked || area.selectionStart !== offset || !this.area.el) {
            return;
        }
        Object.assign(this.popup, { items: items.slice(0, 12), chosen: 0, ...this.placeOf(offset) });
    }

    /**
     * Where the caret stands: its line beside the number of that line, its column read off the coloured copy, which has
     * the same letters at the same places. At the beginning of a line a caret has no place of its own in the copy.
     */
    placeOf(offset) {
        const number = this.area.el.value.slice(0, offset).split("\n").length;
        const line = this.numbers.el.children[number - 1].getBoundingClientRect();

        const walker = document.createTreeWalker(this.copy.el, NodeFilter.SHOW_TEXT);
        let left = offset;
        let node = walker.nextNode();
        while (node && left > node.length) {
            left -= node.length;
            node = walker.nextNode();
        }
        const range = document.createRange();
        if (node) {
            range.setStart(node, left);
        }
        const caret = range.getBoundingClientRect();
        const frame = this.frame.el.getBoundingClientRect();
        const space = Math.max(frame.width - 300, 0);
        const column = caret.height ? caret.left : this.copy.el.getBoundingClientRect().left;
        return { top: line.bottom - frame.top + 4, left: Math.min(Math.max(column - frame.left, 0), space) };
    }

    close() {
        this.asked++;
        this.popup.items = [];
    }

    onKeydown(ev) {
        const { items, chosen } = this.popup;
        const tabLeaves = this.tabLeaves;
        this.tabLeaves = false;
        if (ev.key === " " && ev.ctrlKey) {
            ev.preventDefault();
            this.complete();
        } else if (items.length && ["ArrowDown", "ArrowUp"].includes(ev.key)) {
            ev.preventDefault();
            const step = ev.key === "ArrowDown" ? 1 : items.length - 1;
            this.popup.chosen = (chosen + step) % items.length;
        } else if (items.length && ["Enter", "Tab"].includes(ev.key)) {
            ev.preventDefault();
            this.insert(items[chosen]);
        } else if (items.length && ev.key === "Escape") {
            ev.preventDefault();
            ev.stopPropagation();
            this.close();
        } else if (ev.key === "Escape") {
            // Who has only a keyboard has to get out again.
            this.tabLeaves = true;
        } else if (ev.key === "Tab" && !tabLeaves && !ev.shiftKey && !ev.altKey && !ev.ctrlKey) {
            // Indentation is part of the language.
            ev.preventDefault();
            this.insert({ start: this.area.el.selectionStart, end: this.area.el.selectionEnd, text: "  " });
        }
    }

    insert({ start, end, text }) {
        const area = this.area.el;
        area.setRangeText(text, start, end, "end");
        this.close();
        this.props.onInput(area.value);
        area.focus();
    }
}
