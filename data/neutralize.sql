-- a copy of the database does not talk to insurers in production, nor does it know where production's secrets are
UPDATE credit_insurance_account_setting
   SET variable = NULL, file_name = NULL
 WHERE kind = 'secret' AND environment = 'production';
-- nor any secret
UPDATE credit_insurance_account_setting
   SET stored_secret = NULL
 WHERE stored_secret IS NOT NULL;
DELETE FROM credit_insurance_token;
UPDATE credit_insurance_account
   SET webhook_secret = NULL, webhook_digest = NULL, stored_webhook_signing_key = NULL
 WHERE webhook_secret IS NOT NULL OR stored_webhook_signing_key IS NOT NULL;
UPDATE credit_insurance_account
   SET state = 'disabled'
 WHERE state NOT IN ('test', 'disabled');
-- nor does it call anybody's webhooks
UPDATE credit_insurance_webhook
   SET active = false;
