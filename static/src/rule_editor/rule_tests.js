import { Component } from "@odoo/owl";
import { SelectMenu } from "@web/core/select_menu/select_menu";
import { isNumeric, plainNumber, STATES } from "./rule_form";

/** The examples kept with a rule: these values, that answer. They run whenever the rule is saved. */
export class RuleTests extends Component {
    static template = "credit_insurance.RuleTests";
    static components = { SelectMenu };
    static props = { form: Object, editor: Object };

    setup() {
        this.states = Object.entries(STATES).map(([value, { label }]) => ({ value, label }));
    }

    signal(key) {
        return this.props.editor.signals[key];
    }

    problems(index) {
        return this.props.editor.problems.filter(
            ({ code, path, message }) =>
                path.startsWith(`tests[${index}]`) || (code === "test_failed" && message.startsWith(`test ${index + 1} `))
        );
    }

    changed() {
        this.props.editor.changed();
    }

    add() {
        const facts = this.props.editor.usedSignals().map((key) => ({ key, type: "missing", value: null }));
        this.props.form.tests.push({ name: "", today: null, facts, expect: "fired", ends: null });
        this.changed();
    }

    remove(index) {
        this.props.form.tests.splice(index, 1);
        this.changed();
    }

    setFact(fact, typed) {
        const signal = this.signal(fact.key);
        if (typed.trim() === "") {
            Object.assign(fact, { type: "missing", value: null });
        } else if (signal?.type === "flag") {
            Object.assign(fact, { type: "flag", value: typed === "yes" });
        } else if (/^\d{4}-\d\d-\d\d$/.test(typed.trim()) && signal?.type === "days") {
            Object.assign(fact, { type: "date", value: typed.trim() });
        } else if (!signal || isNumeric(signal)) {
            Object.assign(fact, { type: "number", value: plainNumber(typed) });
        } else {
            Object.assign(fact, { type: "text", value: typed });
        }
        this.changed();
    }

    shown(fact) {
        return fact.type === "missing" ? "" : fact.type === "flag" ? (fact.value ? "yes" : "no") : fact.value;
    }

    addFact(test, key) {
        if (!test.facts.some((fact) => fact.key === key)) {
            test.facts.push({ key, type: "missing", value: null });
            this.changed();
        }
    }

    removeFact(test, index) {
        test.facts.splice(index, 1);
        this.changed();
    }

    set(test, name, value) {
        test[name] = value;
        this.changed();
    }
}
