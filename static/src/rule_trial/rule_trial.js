import { Component, markup, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { RecordSelector } from "@web/core/record_selectors/record_selector";
import { STATES } from "../rule_editor/rule_form";

/** The side panel of the editor: what the text would say about one buyer or document, now. */
export class RuleTrial extends Component {
    static template = "credit_insurance.RuleTrial";
    static components = { RecordSelector };
    static props = { editor: Object, subject: Object, subjectId: [Number, { value: false }], trial: [Object, { value: false }, { value: null }], scope: String, pick: Function };

    setup() {
        this.open = useState({ signals: true });
    }

    get verdict() {
        return this.props.trial && STATES[this.props.trial.state];
    }

    get placeholder() {
        return {
            buyer: _t("Pick a buyer"),
            order: _t("Pick an order"),
            invoice: _t("Pick an invoice"),
            event: _t("Pick an event"),
        }[this.props.scope];
    }

    /** The conditions that apply instead of those in the editor; written by the server. */
    get overridden() {
        const { trial } = this.props;
        return trial?.override?.html ? markup(trial.override.html) : "";
    }

    get closeness() {
        const { trial } = this.props;
        return trial && trial.state === "quiet" && trial.closeness > 0 ? Math.round(trial.closeness * 100) : 0;
    }
}
