import { Component, markRaw, onWillStart, useRef, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { SelectMenu } from "@web/core/select_menu/select_menu";
import { useBus, useService } from "@web/core/utils/hooks";
import { useDebounced } from "@web/core/utils/timing";
import { useRecordObserver } from "@web/model/relational_model/utils";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { RuleTrial } from "../rule_trial/rule_trial";
import { ConditionEditor } from "./condition_editor";
import { newComparison } from "./rule_form";
import { RuleTable } from "./rule_table";
import { RuleTests } from "./rule_tests";
import { RuleText, shiftTokens } from "./rule_text";

const MODEL = "credit.insurance.rule";
const MODE_KEY = "credit_insurance.rule_editor.mode";
const ASK_AFTER = 350;
const CONDITIONS = ["when", "unless", "until"];
const CONTEXT_WORDS = {
    buyer: _t("Buyer"),
    document: _t("Document"),
    company: _t("Company"),
    rule: _t("Rule"),
    today: _t("Today"),
};

/**
 * A rule as a form or as text: one document, kept as the text that is the field's value. Whichever side is edited, the
 * server writes the other one; a text that was not changed in the form stays letter by letter as it was typed.
 */
export class RuleEditor extends Component {
    static template = "credit_insurance.RuleEditor";
    static components = { ConditionEditor, RuleTable, RuleTests, RuleText, RuleTrial, SelectMenu };
    static props = { ...standardFieldProps };

    setup() {
        this.orm = useService("orm").silent;
        this.notification = useService("notification");
        this.message = useRef("message");
        this.state = useState({
            mode: browser.localStorage.getItem(MODE_KEY) === "text" ? "text" : "form",
            text: "",
            form: null,
            tokens: [],
            warnings: [],
            trial: null,
            isAsking: false,
            subjectId: false,
        });
        this.api = useState(this.makeApi());
        // What waits to be sent to the server: "text", "form" or nothing.
        this.pending = null;
        this.reading = Promise.resolve();
        this.asked = 0;
        this.tried = 0;
        this.readSoon = useDebounced(() => this.read(), ASK_AFTER);
        onWillStart(async () => {
            this.setupData = await this.orm.call(MODEL, "rule_editor_setup", []);
            this.api.currency = this.setupData.currency;
            await this.load(this.value, this.props.record);
        });
        useRecordObserver((record) => {
            const value = record.data[this.props.name] || "";
            this.api.readonly = this.props.readonly;
            // What cannot be saved stays on the screen until it is solved or discarded.
            if (this.setupData && value !== this.known && !record.isFieldInvalid(this.props.name)) {
                return this.load(value, record);
            }
        });
        const { bus } = this.props.record.model;
        useBus(bus, "WILL_SAVE_URGENTLY", () => this.commit());
        useBus(bus, "NEED_LOCAL_CHANGES", ({ detail }) => detail.proms.push(this.commit()));
    }

    get value() {
        return this.props.record.data[this.props.name] || "";
    }

    /** What the widgets of the form share; reactive, so that they follow problems and answers. */
    makeApi() {
        const editor = this;
        return {
            readonly: this.props.readonly,
            problems: [],
            answers: {},
            isTrying: false,
            isChecked: false,
            currency: "",
            signals: {},
            groups: [],
            answerAt(path) {
                return this.answers[path];
            },
            problemsAt(path) {
                return this.problems.filter((problem) => problem.path === path || problem.path.startsWith(`${path}.`));
            },
            get firstSignal() {
                return this.signals.amount_overdue || Object.values(this.signals)[0];
            },
            choiceLabel: (value) => value.charAt(0).toUpperCase() + value.slice(1).replaceAll("_", " "),
            usedSignals: () => editor.usedSignals(),
            changed: () => editor.onFormChanged(),
        };
    }

    // === READING AND WRITING === //

    /** Take over a value that came with the record. */
    async load(value, record) {
        this.known = value;
        this.record = record;
        this.pending = null;
        this.isIncomplete = false;
        if (this.isDirty) {
            this.isDirty = false;
            record.model.bus.trigger("FIELD_IS_DIRTY", false);
        }
        this.state.text = value;
        this.state.tokens = [];
        await this.readText(value);
        if (!this.state.form) {
            this.state.mode = "text";
        }
    }

    get key() {
        return (this.record.resId && this.record.data.key) || false;
    }

    async readText(text) {
        const asked = ++this.asked;
        const answer = await this.orm.call(MODEL, "rule_editor_text", [text, this.key]);
        if (asked === this.asked) {
            this.state.form = answer.form;
            this.takeOver(text, answer);
        }
    }

    async writeForm() {
        const asked = ++this.asked;
        const answer = await this.orm.call(MODEL, "rule_editor_form", [this.state.form, this.key]);
        if (asked !== this.asked) {
            return;
        }
        if (answer.text !== null) {
            this.state.text = answer.text;
        }
        this.isIncomplete = answer.text === null;
        this.takeOver(answer.text, answer);
    }

    takeOver(text, { tokens, problems, warnings }) {
        this.state.warnings = markRaw(warnings);
        this.state.tokens = markRaw(tokens);
        this.api.problems = markRaw(problems);
        this.api.isChecked = true;
        this.showScope(this.state.form?.scope || this.scope || "buyer");
        if (this.state.subjectId && text !== null) {
            this.try(text);
        }
    }

    /** Send what waits, and wait for the answer. */
    read() {
        const pending = this.pending;
        this.pending = null;
        if (pending) {
            this.reading = pending === "form" ? this.writeForm() : this.readText(this.state.text);
        }
        return this.reading;
    }

    onTextChanged(text) {
        this.state.tokens = markRaw(shiftTokens(this.state.tokens, this.state.text, text));
        this.state.text = text;
        this.changed("text");
    }

    onFormChanged() {
        this.changed("form");
    }

    changed(side) {
        this.pending = side;
        this.isDirty = true;
        this.api.isChecked = false;
        this.props.record.model.bus.trigger("FIELD_IS_DIRTY", true);
        this.readSoon();
    }

    /** Give the record its value; a form that cannot be written as a text is not saved. */
    async commit() {
        if (this.props.readonly || !this.isDirty) {
            return;
        }
        await this.read();
        if (this.isIncomplete && this.state.mode === "form") {
            this.known = undefined;
            await this.props.record.setInvalidField(this.props.name);
            return;
        }
        this.known = this.state.text;
        this.isDirty = false;
        await this.props.record.update({ [this.props.name]: this.state.text });
        this.props.record.model.bus.trigger("FIELD_IS_DIRTY", false);
    }

    async setMode(mode) {
        await this.read();
        if (mode === "form" && !this.state.form) {
            this.notification.add(_t("This text is not a rule yet: solve what is marked first."), { type: "warning" });
            return;
        }
        if (mode === "text" && this.isIncomplete) {
            this.notification.add(_t("Fill in what is marked first: it could not be written as text."), { type: "warning" });
            return;
        }
        this.state.mode = mode;
        browser.localStorage.setItem(MODE_KEY, mode);
    }

    async complete(text, offset) {
        return this.orm.call(MODEL, "rule_editor_complete", [text, offset]);
    }

    // === SIGNALS === //

    showScope(scope) {
        if (scope === this.scope) {
            return;
        }
        if (this.scope) {
            this.pick(false);
        }
        this.scope = scope;
        const signals = this.setupData.signals[scope];
        const groups = new Map();
        for (const { key, label, group, help } of signals) {
            groups.set(group, [...(groups.get(group) || []), { value: key, label, help }]);
        }
        this.api.signals = markRaw(Object.fromEntries(signals.map((signal) => [signal.key, signal])));
        this.api.groups = markRaw([...groups].map(([label, choices]) => ({ label, choices })));
    }

    usedSignals() {
        const found = new Set();
        const walk = (node) => {
            if (!node) {
                return;
            }
            if (node.kind === "comparison") {
                found.add(node.signal);
                if (node.operand?.kind === "signal") {
                    found.add(node.operand.signal);
                }
            }
            walk(node.part);
            (node.parts || []).forEach(walk);
        };
        CONDITIONS.forEach((name) => walk(this.state.form[name]));
        (this.state.form.table?.inputs || []).forEach(({ signal }) => found.add(signal));
        return [...found];
    }

    // === TRYING === //

    get subject() {
        return this.setupData.subjects[this.scope || "buyer"];
    }

    async pick(subjectId) {
        this.state.subjectId = subjectId;
        this.state.trial = null;
        this.api.answers = {};
        this.api.isTrying = Boolean(subjectId);
        if (subjectId) {
            await this.read();
            await this.try(this.state.text);
        }
    }

    async try(text) {
        const tried = ++this.tried;
        this.state.isAsking = true;
        const trial = await this.orm.call(MODEL, "rule_editor_try", [text, this.state.subjectId]);
        if (tried !== this.tried) {
            return;
        }
        this.state.isAsking = false;
        if (this.state.subjectId) {
            this.state.trial = trial && markRaw(trial);
            this.api.answers = markRaw(trial ? trial.answers : {});
        }
    }

    // === PROBLEMS === //

    problemsOf(name) {
        return this.api.problems.filter(({ path }) => path === name || path.startsWith(`${name}[`) || path.startsWith(`${name}.`));
    }

    placeOf({ line, column }) {
        return _t("Line %(line)s, column %(column)s", { line, column });
    }

    /** Problems that no widget of the form shows. */
    get otherProblems() {
        const shown = [...CONDITIONS, ...Object.keys(this.state.form || {})];
        return this.api.problems.filter(({ path }) => !shown.includes(path.split(/[.[]/)[0]));
    }

    get headline() {
        const count = this.api.problems.length;
        return count === 0 ? _t("No problems") : count === 1 ? _t("1 problem") : _t("%s problems", count);
    }

    // === THE FORM'S OWN FIELDS === //

    set(name, value) {
        this.state.form[name] = value;
        this.changed("form");
    }

    setPriority(typed) {
        this.set("priority", /^-?\d+$/.test(typed.trim()) ? Number(typed) : typed);
    }

    setScope(scope) {
        this.set("scope", scope);
        this.showScope(scope);
    }

    get actions() {
        const { form } = this.state;
        return this.setupData.actions.filter(({ key, scopes }) => scopes.includes(form.scope) || form.actions.includes(key));
    }

    get companies() {
        return [...new Set([...this.setupData.companies, ...this.state.form.companies])];
    }

    toggle(name, value) {
        const values = this.state.form[name];
        this.set(name, values.includes(value) ? values.filter((item) => item !== value) : [...values, value]);
    }

    addCondition(name) {
        this.set(name, newComparison(this.api.firstSignal));
    }

    removeCondition(name) {
        this.set(name, name === "when" ? { kind: "all", parts: [] } : null);
    }

    /** A condition that only joins comparisons can stand as the first row of a decision table. */
    get tableParts() {
        const { when } = this.state.form;
        const parts = when?.kind === "comparison" ? [when] : when?.kind === "all" ? when.parts : [];
        const plain = parts.every(({ kind, operator }) => kind === "comparison" && !operator.startsWith("is "));
        return plain && new Set(parts.map(({ signal }) => signal)).size === parts.length ? parts : [];
    }

    makeTable() {
        const parts = this.tableParts;
        this.state.form.table = {
            hit: "first",
            inputs: parts.map(({ signal, operator }) => ({ signal, operator })),
            rows: [{ cells: parts.map(({ operator, operand }) => ({ operator, operand })), severity: null, message: null, actions: null }],
        };
        this.set("when", null);
    }

    get placeholderGroups() {
        const words = { label: _t("About the alert"), choices: Object.entries(CONTEXT_WORDS).map(([value, label]) => ({ value, label })) };
        return [words, ...this.api.groups];
    }

    /** Put a placeholder where the caret stands. */
    insertPlaceholder(key) {
        const area = this.message.el;
        area.setRangeText(`{${key}}`, area.selectionStart, area.selectionEnd, "end");
        this.set("message", area.value);
        area.focus();
    }
}

export const ruleEditor = {
    component: RuleEditor,
    displayName: _t("Rule Editor"),
    supportedTypes: ["text"],
    additionalClasses: ["o_field_credit_rule_editor"],
};

registry.category("fields").add("credit_rule_editor", ruleEditor);
