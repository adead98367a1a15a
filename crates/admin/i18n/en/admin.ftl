# Frame
skip = Skip to the content
menu = Menu
menu-leads = Leads
menu-clients = Clients
menu-subscribers = Subscribers
menu-account = My account
find = Search everything
sign-out = Sign out
close = Close
save = Save
cancel = Cancel
undo = Undo
restore = Restore
home = To the start page
try-again = Try again
thousands = ,
decimals = .
money = €{ $amount }
role-owner = Owner
role-manager = Manager
role-sales = Sales
role-viewer = Viewer

# What is said once
done-saved = Saved.
done-password = The password is changed. All other sign-ins were ended.
done-ended = Ended.
done-lead-created = The lead is stored.
done-lead-saved = The lead is saved.
done-lead-merged = Saved. Somebody else had changed other fields meanwhile; both changes are kept.
done-lead-deleted = The lead is deleted.
done-merged = Saved. Somebody else had changed other fields meanwhile; both changes are kept.
done-subscriber-saved = The subscriber is saved.
done-subscriber-deleted = The subscriber is deleted.
done-subscriber-changed = Not deleted: somebody else changed the subscriber meanwhile. This is how it is now.
done-unsubscribed = The subscription is ended.
done-subscribed = The subscription is renewed.
done-client-created = The client is stored.
done-client-saved = The client is saved.
done-client-deleted = The client is deleted.
done-client-changed = Not deleted: somebody else changed the client meanwhile. This is how it is now.
done-note-added = The note is stored.
done-note-removed = The note is removed.
done-undone = Taken back.
done-undone-partly = Partly taken back: some fields were changed again since, and are left as they are.
done-undone-not = This cannot be taken back any more.

# Keys
keys-title = Keyboard
keys-find = Search
keys-rows = Next row, previous row, open
keys-row = Status, owner of the row
keys-new = New lead, new client
keys-one = Edit, write a note
keys-walk = Previous lead, next lead
keys-save = Save
keys-close = Close, leave the field

# Sign-in
sign-in = Sign in
sign-in-expired = Your sign-in has ended. Sign in again: what you typed is kept on this page.
sign-in-wrong = The name or the password is wrong.
sign-in-too-many = { $minutes ->
    [one] Too many wrong passwords. Try again in a minute.
   *[other] Too many wrong passwords. Try again in { $minutes } minutes.
}
username = User name
password = Password
password-new = New password
password-old = Current password
password-hint = At least 12 characters. A few words in a row are easy to remember.
password-change = Change password
password-ends = All other sign-ins end when the password changes.
password-meanwhile = The password was changed in another window meanwhile. Sign in with that one, then change it again.
password-too-many = Too many wrong passwords. Try again later.
invitation-title = Set up your account
invitation-owner = This is the first account. It may do everything, including making accounts for others.
invitation-password = Choose a password for your account.
invitation-go = Save and sign in
confirm-title = Signed in again
confirm-text = Nothing was lost. This is what you were about to send:
confirm-go = Send it now

# My account
language = Language
language-browser = As in the browser
theme = Theme
theme-system = As in the system
theme-light = Light
theme-dark = Dark
keys-on = Single keys (such as “/” for search)
visits = Where you are signed in
visit-this = this one
visit-since = since
visit-seen = last seen
visit-end = End this one
visit-end-others = End all others
agent-unknown = Unknown program

# Errors
error-typed = What you typed was not saved. Copy it before you go on:
error-again = The page tries again by itself. What you typed is kept.
error-again-password = Type the password once more, then try again. A page never keeps passwords; everything else is kept.
error-request = Number of the request:
error-title-400 = That did not work
error-text-400 = The request could not be read.
error-title-403 = Not allowed
error-text-403 = Your account may not do this. An owner can change your role.
error-title-404 = Nothing here
error-text-404 = There is no such page.
error-title-405 = That did not work
error-text-405 = The address does not accept this kind of request.
error-title-408 = Too slow
error-text-408 = The request took too long to arrive.
error-title-412 = Changed meanwhile
error-text-412 = Somebody else changed this meanwhile.
error-title-413 = Too large
error-text-413 = The request is too large.
error-title-415 = That did not work
error-text-415 = The form was sent in a form that cannot be read.
error-title-429 = Too often
error-text-429 = Wait a little, then try again.
error-title-500 = Something went wrong
error-text-500 = This is our fault. What was stored before is safe.
error-title-503 = The database is away
error-text-503 = It is usually back within seconds. Nothing that was stored is lost.
error-title-deleted = This was deleted
error-text-deleted = It can be restored, with everything that belonged to it.

# Ages and actors
age-now = now
age-minutes = { $count } min
age-hours = { $count } h
age-days = { $count } d
age-years = { $count } y
actor-key = API key { $name }
actor-website = Website
actor-command = Operator ({ $name })
actor-service = The service

# Rules
rule-min-length = Use at least 12 characters.
rule-common = This password is on the lists of passwords that are tried first. Choose another one.
rule-personal = The password is too similar to your name or e-mail address.
rule-wrong = The current password is wrong.
rule-lead-unique = This lead is another client already.
rule-lead-does-not-exist = There is no lead with this number.
rule-min-value = An amount is not negative.
rule-max-decimal-places = An amount has at most two decimals.
rule-max-whole-digits = The amount is too large.
rule-monthly-charge-invalid = This is not an amount.
rule-one-time-charge-invalid = This is not an amount.
rule-lead-incorrect-type = This is not a number.
rule-email-unique = This address is subscribed already.
rule-unique = This user name is taken.
rule-required = Fill in this field.
rule-blank = Fill in this field.
rule-invalid-email = This is not an e-mail address.
rule-unknown-owner = There is no such account.
rule-invalid-time = This is not a date.
rule-full-name-min-length = Use at least 2 characters.
rule-position-min-length = Use at least 2 characters.
rule-company-name-min-length = Use at least 2 characters.
rule-markup = The characters < and > are not allowed here.
rule-only-numbers = A name is more than digits.
rule-invalid-phone-number = This is not a phone number: 7 to 15 digits, with an optional + in front.
rule-disposable-email = This address is from a service for throw-away addresses.
rule-notes-too-long = At most 5,000 characters fit here.
rule-max-length = This text is too long.
rule-invalid-choice = Choose one of the values.
rule-null-characters-not-allowed = The text contains a character that cannot be stored.
rule-control-characters-not-allowed = The text contains a character that cannot be stored.
rule-unreachable = Enter an e-mail address or a phone number.

# Leads
lead-new = New lead
lead-previous = Previous lead
lead-next = Next lead
lead-same = There are other leads with the same e-mail address or phone number:
lead-work = Work
lead-facts = Facts
lead-number = Number
lead-created = Received
lead-updated = Last changed
edit = Edit
delete = Delete
copied = Copied
copy-phone = Copy number
copy-email = Copy address
nothing = nothing
column-name = Name
column-company = Company
column-contact = Contact
column-source = Source
column-category = Category
column-status = Status
column-owner = Owner
column-next = Next step
column-age = Age
field-full-name = Full name
field-position = Position
field-company-name = Company
field-phone-number = Phone number
field-email = E-mail address
field-source = Source
field-status = Status
field-text = Note
field-notes = Notes that came with the lead
field-category = Category
field-owner = Owner
field-next-step = Next step
field-next-step-at = Day of the next step
status-all = All
status-new = New
status-contacted = Contacted
status-interested = Interested
status-not-interested = Not interested
status-converted = Converted
status-closed = Closed
source-website = Website
source-referral = Referral
source-cold-call = Cold call
source-linkedin = LinkedIn
source-email-campaign = E-mail campaign
source-other = Other
category-web-dev = Web development
category-mobile-dev = Mobile development
category-automated-testing = Automated testing
category-social-media-auto = Social media automation
category-ecommerce-auto = E-commerce automation
category-sales-auto = Sales automation
filters = More filters
filter-search-clients = Team, description, name, company
filter-search-subscribers = E-mail address
filter-search-leads = Name, company, e-mail, phone
filter-go = Search
filter-any = Any
filter-nobody = Nobody
filter-since = Received from
filter-until = Received until
filter-due = Due
list-cut-short-leads = Only a part of the list was searched, because the words are so short.
list-cut-short-subscribers = Only the next subscribers of the list were searched.
list-search-all-leads = Search all leads, which takes longer
list-search-all-subscribers = Search all subscribers, which takes longer
list-count = In this list:
list-count-exactly = count exactly
pages = Pages
page-previous = Previous
page-next = Next
empty-leads = No leads yet
empty-clients = No clients yet
empty-text-clients = Make a client of a lead, or make one here.
empty-subscribers = No subscribers yet
empty-text-subscribers = People subscribe to the newsletter on the website.
empty-text-leads = Leads come in through the website, or you can make one here.
empty-end = Nothing further in this list
empty-first-page = To the first page
empty-filtered = Nothing found
empty-filtered-text = Nothing matches all of these filters. Drop one of them:
empty-drop-search = Drop the search
empty-drop-filters = Drop the filters
empty-drop-status = Any status
empty-drop-all = Drop all filters
form-wrong = The form was not saved yet:
form-refilled = You are signed in again. This is what you typed; it is not saved yet.
conflict-text = Somebody else changed the same fields meanwhile. Choose what is right. Nothing is saved yet.
conflict-yours = Yours
conflict-theirs = Theirs
conflict-original = Before:
done-lead-changed = Not deleted: somebody else changed the lead meanwhile. This is how it is now.
story = What happened
story-noted = wrote a note
story-note-removed = removed a note
story-changed = changed
story-client-created = created the client
story-client-deleted = deleted the client
story-client-restored = restored the client
story-subscriber-created = added the subscriber
story-subscriber-deleted = deleted the subscriber
story-subscriber-restored = restored the subscriber
story-lead-created = created the lead
story-lead-deleted = deleted the lead
story-lead-restored = restored the lead
story-imported = imported
story-notes = wrote with the lead
story-older = Older
note-text = What was said? What is next?
note-add = Add note
note-remove = Remove
search = Search
search-pages = Pages
search-all = Show all in the list

# Subscribers
column-email = E-mail address
column-subscribed = Newsletter
column-number = Number
field-is-subscribed = Newsletter
subscribed-all = All
subscribed-true = Subscribed
subscribed-false = Unsubscribed
subscriber-end = End the subscription
subscriber-renew = Renew the subscription

# Exports
export = Export
export-leads = Export leads
export-subscribers = Export subscribers
export-rows = What is exported
export-count = Rows
export-columns = Columns
export-no-columns = Choose at least one column.
export-separator = Between the columns
separator-comma = Comma
separator-semicolon = Semicolon, for spreadsheets with a decimal comma
export-mark = Mark the file as UTF-8, for Excel
export-formulas = A text that a spreadsheet could take for a formula gets a tab in front.
export-noted = The export is recorded with your name, the filters and the number of rows.
export-go = Download CSV
export-refilled = You are signed in again. This is what you chose; nothing is downloaded yet.
export-running = The file is being written.
export-done = The file is complete.
export-failed = The export broke off. No file was saved. Try again.
export-stopped = Stopped. No file was saved.
export-stop = Stop
field-id = Number
field-created-at = Received
field-updated-at = Last changed

# Today
menu-home = Today
today-own = Your next steps
today-own-about = Due until today
today-own-none = Nothing is due.
today-late = { $count } overdue
today-waiting = Without an owner
today-waiting-about = New leads, the oldest first
today-waiting-none = Every new lead has an owner.
today-new = New since your last visit
today-new-first = New in the last week
today-new-none = Nothing has come in since then.
today-since = Since { $time }
picture-table = As a table
picture-week = Week of
picture-received = Received
picture-contacted = Contacted
picture-half = Half within
picture-most = 9 of 10 within
picture-leads = Leads
picture-clients = Clients
picture-share = Share
picture-percent = { $share } %
picture-weeks = Leads by week
picture-weeks-about = From Monday to Sunday; the last week is not over
picture-weeks-says = Week of { $day }, leads received: { $count }
picture-contact = Time to first contact
picture-contact-about = Number and bar: half of the leads of a week; line: nine of ten
picture-contact-says = Week of { $day }: half within { $half }, nine of ten within { $most }; contacted { $contacted } of { $received }
picture-funnel = Leads by status
picture-funnel-about = All leads
picture-bar-says = { $name }: { $count } leads, { $share }
picture-sources = Leads by source
picture-sources-about = All leads, and the share that became clients
picture-sources-says = { $name }: { $count } leads, of which { $clients } became clients
day-short = { $month ->
    [1] { $day } Jan
    [2] { $day } Feb
    [3] { $day } Mar
    [4] { $day } Apr
    [5] { $day } May
    [6] { $day } Jun
    [7] { $day } Jul
    [8] { $day } Aug
    [9] { $day } Sep
    [10] { $day } Oct
    [11] { $day } Nov
   *[other] { $day } Dec
}
wait-none = < 1 min
ways = How leads come in
ways-website = From the website
ways-website-text = Its form sends them to the API, with an API key:
ways-docs = Description of the API
ways-key = The operator of the server makes a key with
ways-hand = By hand
ways-hand-text = Somebody called, or you met them.
ways-before = From the service before this one
ways-before-text = The operator of the server imports its database with

# Clients
client-new = New client
client-new-of = { $name } becomes a client
client-nameless = Client { $id }
client-of-lead = Client
client-make = Make a client
client-lead = Lead
client-charges = Charges
client-monthly = { $amount } a month
client-once = { $amount } once
client-total-monthly = Together each month
client-total-one-time = Together once
column-client = Client
column-team = Team
column-monthly = Each month
column-one-time = Once
contract-true = With a contract
contract-false = Without a contract
filter-contract = Contract
field-team-id = Team
field-monthly-charge = Monthly charge, in euros
field-one-time-charge = One-time charge, in euros
field-short-description = Description
field-contract-file = Contract
field-lead = Number of the lead
