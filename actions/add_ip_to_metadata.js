/**
 * Keeps the address of the last login in the user's metadata, for fraud rules
 * and geography further down.
 *
 * Settings, from the Action's secrets or else its configuration:
 *   IP_METADATA_KEY  the key it is kept under: last_login_ip unless set
 *
 * @param {Event} event - Details about the user and the context in which they are logging in.
 * @param {PostLoginAPI} api - Interface whose methods can be used to change the behavior of the login.
 */
exports.onExecutePostLogin = async (event, api) => {
  const ip = event.request && event.request.ip;
  if (!ip) {
    return;
  }
  const secrets = event.secrets || {};
  const configuration = event.configuration || {};
  api.user.setUserMetadata(secrets.IP_METADATA_KEY || configuration.IP_METADATA_KEY || "last_login_ip", ip);
};
