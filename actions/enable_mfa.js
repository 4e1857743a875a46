/**
 * Marks everybody who registers: their logins need a second factor, and
 * mfa_action.js is what decides about it. Runs before the user is there.
 *
 * @param {Event} event - Details about the context and user that is attempting to register.
 * @param {PreUserRegistrationAPI} api - Interface whose methods can be used to change the behavior of the signup.
 */
exports.onExecutePreUserRegistration = async (event, api) => {
  api.user.setAppMetadata("auth_require_mfa", true);
  api.user.setAppMetadata("uses_new_mfa_action", true);
};
