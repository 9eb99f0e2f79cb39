// OAuth 2.0 Form Post Response Mode: the only form of the page goes to the application. Without this there is a button.
document.forms[0].submit();
