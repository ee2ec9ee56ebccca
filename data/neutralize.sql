-- a copy of the database does not talk to insurers in production
UPDATE credit_insurance_account
   SET state = 'disabled'
 WHERE state NOT IN ('test', 'disabled');
-- nor does it call anybody's webhooks
UPDATE credit_insurance_webhook
   SET active = false;
