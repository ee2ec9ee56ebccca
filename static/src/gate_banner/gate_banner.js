import { Component, reactive, useState } from "@odoo/owl";
import { deserializeDateTime, toLocaleDateTimeString } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { session } from "@web/session";

/** Keeps what the session said about the gates, and asks again when one of them was switched. */
export const gateNoticeService = {
    dependencies: ["bus_service", "orm"],
    start(env, { bus_service: bus, orm }) {
        const state = reactive({ notices: session.credit_gate_notices || [] });
        bus.subscribe("credit_insurance.gate_switched", async () => {
            state.notices = await orm.silent.call("res.company", "credit_gate_notices", []);
        });
        bus.start();
        return state;
    },
};

/**
 * Says on every screen that a gate is off. It stays until the gate is on again; nobody can dismiss it. That a gate only
 * observes is a small hint for the credit team.
 */
export class GateBanner extends Component {
    static template = "credit_insurance.GateBanner";
    static props = {};

    setup() {
        this.state = useState(useService("credit_insurance.gate_notice"));
    }

    get off() {
        return this.state.notices.filter((notice) => notice.mode === "off");
    }

    text(notice) {
        return _t("The credit gate of %s is off: orders are confirmed without a credit check.", notice.company);
    }

    details(notice) {
        if (!notice.user) {
            return "";
        }
        const since = toLocaleDateTimeString(deserializeDateTime(notice.since), { showSeconds: false });
        return notice.reason
            ? _t("Switched by %(user)s on %(since)s: %(reason)s", { user: notice.user, since, reason: notice.reason })
            : _t("Switched by %(user)s on %(since)s", { user: notice.user, since });
    }
}

/** The hint for the credit team: this gate records, and stops nothing. */
export class GateObserves extends Component {
    static template = "credit_insurance.GateObserves";
    static props = {};

    setup() {
        this.state = useState(useService("credit_insurance.gate_notice"));
    }

    get title() {
        const names = this.state.notices.filter((notice) => notice.mode === "observe").map((notice) => notice.company);
        return names.length ? _t("The credit gate only observes: %s", names.join(", ")) : "";
    }
}

registry.category("services").add("credit_insurance.gate_notice", gateNoticeService);
registry.category("main_components").add("credit_insurance.GateBanner", { Component: GateBanner });
registry.category("systray").add("credit_insurance.GateObserves", { Component: GateObserves }, { sequence: 90 });
