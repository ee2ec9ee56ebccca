"""The kinds of activities and notifications that risk alerts make, and how many of them a person gets."""

ACTIVITY = "credit_insurance.mail_activity_type_alert"
SUMMARY = "credit_insurance.mail_activity_type_alert_summary"
# For who may not read alerts: an activity on the customer.
ON_CUSTOMER = "credit_insurance.mail_activity_type_alert_customer"
TODO = "credit_insurance.mail_activity_type_action_todo"
TODO_SUMMARY = "credit_insurance.mail_activity_type_action_todo_summary"
APPROVAL = "credit_insurance.mail_activity_type_action_approval"
NOTICE = "credit_insurance.mail_message_subtype_alert"
# So many activities of a kind, or notifications, a person gets on one day; what comes on top is one summary.
SINGLE_A_DAY = 10
USER_GROUP = "credit_insurance.credit_insurance_group_user"
MANAGER_GROUP = "credit_insurance.credit_insurance_group_manager"
