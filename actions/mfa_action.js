/**
 * Decides whether a login needs a second factor. Runs after every login by
 * password and after every refresh.
 *
 * Settings, from the Action's secrets or else its configuration:
 *   TEST_TENANTS             names of tenants, separated by commas
 *   INTEGRATION_TEST_DOMAIN  e-mail domain of the users of integration tests
 *   FORCE_MFA_DOMAIN         e-mail domain that has to pass MFA even on a refresh
 *   SKIP_MFA                 "always": the skips hold for every tenant
 *
 * @param {Event} event - Details about the user and the context in which they are logging in.
 * @param {PostLoginAPI} api - Interface whose methods can be used to change the behavior of the login.
 */
exports.onExecutePostLogin = async (event, api) => {
  const secrets = event.secrets || {};
  const configuration = event.configuration || {};
  const setting = (name) => String(secrets[name] || configuration[name] || "").trim();

  const user = event.user || {};
  const address = String(user.email || "").toLowerCase();
  const domain = address.slice(address.lastIndexOf("@") + 1);
  const isOf = (name) => address.includes("@") && domain !== "" && domain === setting(name).toLowerCase().replace(/^@/, "");

  const tenant = (event.tenant && event.tenant.id) || "";
  const testTenants = setting("TEST_TENANTS").split(",").map((name) => name.trim()).filter((name) => name !== "");
  const isTest = setting("SKIP_MFA") === "always" || testTenants.includes(tenant);

  const protocol = event.transaction && event.transaction.protocol;
  if (isTest && protocol === "oauth2-refresh-token") {
    if (isOf("FORCE_MFA_DOMAIN")) {
      api.multifactor.enable("any");
    }
    return;
  }
  if (isTest && isOf("INTEGRATION_TEST_DOMAIN")) {
    return;
  }
  if (event.stats && event.stats.logins_count <= 1) {
    return;
  }

  const metadata = user.app_metadata || {};
  const body = (event.request && event.request.body) || {};
  if (metadata.auth_require_mfa || body.challengeRequired) {
    api.multifactor.enable("any");
  }
};
