import { Component, onWillStart, useState } from "@odoo/owl";
import { RecordSelector } from "@web/core/record_selectors/record_selector";
import { registry } from "@web/core/registry";
import { useBus, useService } from "@web/core/utils/hooks";
import { useDebounced } from "@web/core/utils/timing";
import { useRecordObserver } from "@web/model/relational_model/utils";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { RuleText, shiftTokens } from "../rule_editor/rule_text";

const MODEL = "credit.insurance.signal";
const ASK_AFTER = 350;

/** The text of a derived signal, with colours, problems and completion, and its value for one buyer or document. */
export class SignalEditor extends Component {
    static template = "credit_insurance.SignalEditor";
    static components = { RecordSelector, RuleText };
    static props = { ...standardFieldProps };

    setup() {
        this.orm = useService("orm").silent;
        this.state = useState({ text: "", tokens: [], problems: [], subject: null, scope: "", subjectId: false, trial: null });
        this.asked = 0;
        this.readSoon = useDebounced(() => this.read(), ASK_AFTER);
        onWillStart(() => this.load(this.props.record));
        useRecordObserver((record) => {
            if ((record.data[this.props.name] || "") !== this.known) {
                return this.load(record);
            }
        });
        const { bus } = this.props.record.model;
        useBus(bus, "WILL_SAVE_URGENTLY", () => this.commit());
        useBus(bus, "NEED_LOCAL_CHANGES", ({ detail }) => detail.proms.push(this.commit()));
    }

    get signalId() {
        return this.props.record.resId || false;
    }

    load(record) {
        this.known = record.data[this.props.name] || "";
        this.isDirty = false;
        Object.assign(this.state, { text: this.known, tokens: [], trial: null });
        return this.read();
    }

    /** Ask the server what it makes of the text as it stands. */
    async read() {
        const asked = ++this.asked;
        const { text } = this.state;
        const { tokens, problems, scope, subject, may_try } = await this.orm.call(MODEL, "signal_editor_text", [text, this.signalId]);
        if (asked !== this.asked) {
            return;
        }
        if (scope !== this.state.scope) {
            this.state.subjectId = false;
        }
        Object.assign(this.state, { tokens, problems, scope, subject: may_try && subject });
        await this.try();
    }

    async try() {
        const { text, subjectId } = this.state;
        const trial = subjectId ? await this.orm.call(MODEL, "signal_editor_try", [text, subjectId, this.signalId]) : null;
        if (text === this.state.text && subjectId === this.state.subjectId) {
            this.state.trial = trial;
        }
    }

    pick(subjectId) {
        Object.assign(this.state, { subjectId, trial: null });
        return this.try();
    }

    onInput(text) {
        this.state.tokens = shiftTokens(this.state.tokens, this.state.text, text);
        this.state.text = text;
        this.isDirty = true;
        this.props.record.model.bus.trigger("FIELD_IS_DIRTY", true);
        this.readSoon();
    }

    async commit() {
        if (this.props.readonly || !this.isDirty) {
            return;
        }
        this.isDirty = false;
        this.known = this.state.text;
        await this.props.record.update({ [this.props.name]: this.state.text });
        this.props.record.model.bus.trigger("FIELD_IS_DIRTY", false);
    }

    complete(text, offset) {
        return this.orm.call("credit.insurance.rule", "rule_editor_complete", [text, offset]);
    }
}

registry.category("fields").add("credit_signal_editor", {
    component: SignalEditor,
    supportedTypes: ["text"],
    additionalClasses: ["o_field_credit_signal_editor", "w-100"],
});
